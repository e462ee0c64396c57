using SipNat.Simulation;
using SipNat.Simulation.Srtp;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Srtp;

/// <summary>A recording client that encrypts, with an SRTP that was written apart from the recorder's.</summary>
internal sealed class SrtpClient
{
    private readonly Dictionary<int, PlainSrtp> _senders = [];
    private readonly Dictionary<int, byte[]> _keys = [];
    private readonly string _suite;
    private readonly string _name;
    private readonly byte[] _mki;

    /// <param name="suite">As the IANA registry has it.</param>
    /// <param name="name">As the client writes it.</param>
    public SrtpClient(RecorderScene scene, string suite = "AES_CM_128_HMAC_SHA1_80", string? name = null, byte[]? mki = null)
    {
        (Sip, _suite, _name, _mki) = (ManualClient.AddTo(scene), suite, name ?? suite, mki ?? []);
        Sip.Protect = (stream, packet) => packet[1] is >= 192 and < 224 ? _senders[stream].ProtectControl(packet) : _senders[stream].Protect(packet);
        for (var stream = 0; stream < 2; stream++) ChangeKey(stream, seed: stream);
    }

    public ManualClient Sip { get; }

    /// <summary>The sender of a stream, for packets that a test makes by itself.</summary>
    public PlainSrtp Sender(int stream) => _senders[stream];

    /// <summary>Encrypts under another key from now on; the next offer tells it.</summary>
    public void ChangeKey(int stream, int seed)
    {
        var key = new byte[(_suite.Contains("256", StringComparison.Ordinal) ? 32 : _suite.Contains("192", StringComparison.Ordinal) ? 24 : 16) + (_suite.StartsWith("AEAD", StringComparison.Ordinal) ? 12 : 14)];
        new Random(1000 + seed).NextBytes(key);
        _keys[stream] = key;
        _senders[stream] = new(_suite, key, _mki);
    }

    /// <summary>An offer of encrypted streams.</summary>
    public string Offer(int streams = 2, string protocol = "RTP/SAVP", string formats = "0 101", int port = ManualClient.MediaPort)
    {
        var lines = ManualClient.Sdp(streams: streams, port: port).Replace("RTP/AVP 0 101", $"{protocol} {formats}", StringComparison.Ordinal);
        for (var stream = 0; stream < streams; stream++) lines = lines.Replace($"a=label:{stream + 1}\r\n", $"a=label:{stream + 1}\r\n{Line(stream)}\r\n", StringComparison.Ordinal);
        return lines;
    }

    /// <summary>Offers again, in the dialog.</summary>
    public void OfferAgain(string sdp)
    {
        Sip.Send("INVITE", sdp);
        Sip.RunFor(0.1);
        Assert.Equal(200, Sip.LastResponse.Status);
        Sip.Acknowledge();
        Sip.RunFor(0.1);
    }

    /// <summary>What the recorder's last answer says of the keys of its packets, m-line by m-line.</summary>
    public IReadOnlyList<string> AnsweredLines => [.. LinesOf(LastDescription)];

    /// <summary>The recorder's last description.</summary>
    public string LastDescription => Sip.Responses.Last(r => r.Body.Contains("m=audio", StringComparison.Ordinal)).Body;

    /// <summary>Opens what the recorder sends on a stream.</summary>
    public PlainSrtp Receiver(int stream) => new(_suite, Convert.FromBase64String(AnsweredLines[stream].Split("inline:")[1]));

    /// <summary>Where a stream goes.</summary>
    public TransportAddress Target(int stream) => ScriptedAnswer.Read(LastDescription)[stream].Rtp;

    public static IEnumerable<string> LinesOf(string sdp) =>
        sdp.Split("\r\n").Where(line => line.StartsWith("a=crypto:", StringComparison.Ordinal)).Select(line => line["a=crypto:".Length..]);

    private string Line(int stream)
    {
        var mki = _mki.Length > 0 ? $"|2^31|{_mki[^1]}:{_mki.Length}" : "";
        return $"a=crypto:1 F8_128_HMAC_SHA1_80 inline:QUJD\r\na=crypto:3 {_name} inline:{Convert.ToBase64String(_keys[stream])}{mki}";
    }
}
