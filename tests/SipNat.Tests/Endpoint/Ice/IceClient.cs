using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using SipNat.Simulation;
using SipNat.Simulation.Ice;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Ice;

/// <summary>
/// A recording client that speaks ICE: its SIP is written by hand, and one agent with sockets of its own finds the path
/// of its one stream.
/// </summary>
/// <remarks>With a further address, such as one of IPv6, it is reached at both, and prefers the first.</remarks>
internal sealed class IceClient
{
    private const int FirstPort = 41_000;

    private readonly RecorderScene _scene;
    private readonly bool _mux;
    private readonly List<FlowId> _sockets = [];

    public IceClient(
        RecorderScene scene,
        string address = RecorderScene.PublicClient,
        SimulatedNat? behind = null,
        bool mux = true,
        IceOptions? options = null,
        int seed = 77,
        IceRole role = IceRole.Controlling,
        string? further = null)
    {
        (_scene, _mux) = (scene, mux);
        Sip = ManualClient.AddTo(scene, address, behind);
        Party = new(role, seed, (options ?? new()) with { Components = mux ? 1 : 2 }, RecorderScene.TwoStunServers);
        Sip.Host.Attach(Party);
        OpenSockets(default);
        if (further is not null) AddHost(further);
        Sip.AnswerSdp = Answer;
    }

    public ManualClient Sip { get; }

    public IceParty Party { get; }

    /// <summary>What the recorder said last of its stream.</summary>
    public IceDescription Told { get; private set; } = null!;

    /// <summary>The recorder's session descriptions, in order.</summary>
    public IReadOnlyList<string> Descriptions =>
        [.. Sip.Sip.Select(s => s.Message).Where(m => m.Body.Contains("m=audio", StringComparison.Ordinal)).Select(m => m.Body)];

    /// <summary>The frames that were sent.</summary>
    public List<int> Sent { get; } = [];

    /// <summary>One more address, with sockets; it is told from here on.</summary>
    public void AddHost(string address)
    {
        Sip.Host.AddAddress(address);
        OpenSockets(TransportAddress.Parse(address));
    }

    /// <summary>Learns how its sockets are seen, offers, and takes the answer.</summary>
    public void Establish(string? sdp = null)
    {
        _scene.RunFor(0.5);
        Sip.Establish(sdp ?? Describe());
        Take(Descriptions[^1]);
    }

    /// <summary>Learns how its sockets are seen, invites without a description, and answers the recorder's offer in the ACK.</summary>
    /// <param name="sdp">The answer, from what the client has to say; null for just that.</param>
    public void EstablishByAnswer(Func<string, string>? sdp = null)
    {
        _scene.RunFor(0.5);
        Sip.Send("INVITE");
        _scene.RunFor(0.4);
        Take(Descriptions[^1]);
        var answer = Describe();
        Sip.Acknowledge(sdp is null ? answer : sdp(answer));
        _scene.RunFor(0.1);
    }

    /// <summary>Offers again what it has to say now, and takes the answer.</summary>
    public void OfferAgain(string direction = "sendonly")
    {
        Sip.Send("INVITE", Describe().Replace("a=sendonly", $"a={direction}", StringComparison.Ordinal));
        _scene.RunFor(0.5);
        Sip.Acknowledge();
        _scene.RunFor(0.1);
        Take(Descriptions[^1]);
    }

    public bool Connects(double seconds) =>
        _scene.Network.RunUntil(() => Party.Agent.State is IceState.Connected, TimeSpan.FromSeconds(seconds));

    /// <summary>Sends frames of its stream by the path that ICE has found, 20 ms apart; what finds no path is not sent.</summary>
    public void Talk(int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            if (Party.Agent.PathOf(1) is { } path) Send(i, path.Flow, path.Remote);
            _scene.Network.RunFor(ScriptedFrame.Span);
        }
    }

    /// <summary>Sends one frame by a socket of its own, whatever ICE says.</summary>
    public void SendPast(int frame, TransportAddress to) => Send(frame, _sockets[0], to);

    public string Describe(string? connection = null)
    {
        var description = Party.Agent.Describe();
        var rtp = description.DefaultOf(1)!.Address;
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"v=0\r\no=c 1 1 IN IP4 {rtp.AddressText}\r\ns=-\r\nc=IN IP4 {connection ?? rtp.AddressText}\r\nt=0 0\r\n");
        text.Append(CultureInfo.InvariantCulture, $"m=audio {rtp.Port} RTP/AVP 0\r\na=label:1\r\na=sendonly\r\n");
        if (_mux) text.Append("a=rtcp-mux\r\n");
        else text.Append(CultureInfo.InvariantCulture, $"a=rtcp:{description.DefaultOf(2)!.Address.Port} IN IP4 {description.DefaultOf(2)!.Address.AddressText}\r\n");
        foreach (var (name, value) in IceDescriptionWriter.Write(description)) text.Append(value is null ? $"a={name}\r\n" : $"a={name}:{value}\r\n");
        return text.ToString();
    }

    public void AssertRecordedWhole()
    {
        _scene.RunFor(0.1);
        Sip.Send("BYE");
        _scene.RunFor(12);
        var file = _scene.Session.FileOf(0);
        Assert.True(file.IsComplete);
        Assert.Equal(Sent, file.Frames().Select(f => f.Frame));
    }

    private void Send(int frame, FlowId flow, TransportAddress to)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), unchecked((ushort)(1000 + frame)));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), unchecked((uint)(50_000 + (frame * ScriptedFrame.Length))));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x1111);
        ScriptedFrame.Fill(0, frame, packet.AsSpan(12));
        Sip.Host.Run(_ => Party.Outbox.Add(flow, to, packet));
        Sent.Add(frame);
    }

    private void OpenSockets(TransportAddress host)
    {
        for (var component = 0; component < Party.Agent.Components; component++) _sockets.Add(Sip.Host.OpenUdp(FirstPort + component, Party, host));
    }

    // To an offer of the recorder: with other credentials than before it is a restart, for which ours change too.
    private string Answer()
    {
        Read(Sip.Requests.Last(r => r.Body.Length > 0).Body);
        Sip.Host.Run(now =>
        {
            Party.Agent.SetRemote(now, Told);
            Party.Drain(now);
        });
        return Describe();
    }

    private void Take(string sdp)
    {
        Read(sdp);
        Sip.Host.Run(now =>
        {
            Party.Agent.SetRemote(now, Told);
            Party.Drain(now);
        });
    }

    private void Read(string sdp)
    {
        var reader = new IceDescriptionReader();
        foreach (var line in sdp.Split("\r\n").Where(l => l.StartsWith("a=", StringComparison.Ordinal)))
        {
            var (name, value) = line[2..].Split(':', 2) is [var n, var v] ? (n, v) : (line[2..], "");
            reader.TryAdd(name, value);
        }

        Assert.True(reader.TryRead(out var told), sdp);
        Told = told!;
    }
}
