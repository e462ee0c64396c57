using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>A recorder and its clients in a simulated internet, each where need be behind a NAT of its own.</summary>
internal sealed class RecorderScene
{
    public const string PublicRecorder = "198.51.100.10";
    public const string PrivateRecorder = "192.168.1.5";
    public const string PublicClient = "192.0.2.20";
    public const string PrivateClient = "192.168.1.20";
    public const string RecorderNatAddress = "198.51.100.1";
    public const string ClientNatAddress = "203.0.113.1";
    public const int MediaPorts = 400;

    /// <summary>Two STUN servers for the options of a recorder.</summary>
    public static readonly IReadOnlyList<TransportAddress> TwoStunServers = [TransportAddress.Parse("198.51.100.50:3478"), TransportAddress.Parse("198.51.100.51:3478")];

    private readonly PacketLog _log;

    /// <param name="seed">Of the network.</param>
    /// <param name="recorderNat">Null for a recorder with a public address.</param>
    /// <param name="forwardsMedia">Whether the NAT of the recorder forwards the media ports too, and not only SIP.</param>
    public RecorderScene(int seed, SimulatedRecorderOptions? options = null, NatOptions? recorderNat = null, bool forwardsMedia = true)
    {
        Network = new(seed);
        _log = new(Network);
        options ??= new();
        StunServers = [.. options.StunServers.Select(server => SimulatedStunServer.AddTo(Network, server.ToString()))];
        if (recorderNat is not null)
        {
            RecorderNat = Network.AddNat(RecorderNatAddress, recorderNat);
            RecorderNat.Forward(options.ExternalSipPort ?? options.SipPort, $"{PrivateRecorder}:{options.SipPort}");
            if (forwardsMedia) RecorderNat.Forward(options.ExternalMediaFirstPort ?? options.FirstMediaPort, $"{PrivateRecorder}:{options.FirstMediaPort}", MediaPorts);
        }

        Recorder = SimulatedRecorder.AddTo(Network, recorderNat is null ? PublicRecorder : PrivateRecorder, options, RecorderNat);
        Server = TransportAddress.Parse(recorderNat is null ? PublicRecorder : RecorderNatAddress).WithPort(options.ExternalSipPort ?? options.SipPort);
    }

    public SimulatedNetwork Network { get; }

    public SimulatedNat? RecorderNat { get; }

    public SimulatedRecorder Recorder { get; }

    /// <summary>The STUN servers of the options, which answer where a test does not silence them.</summary>
    public IReadOnlyList<SimulatedStunServer> StunServers { get; }

    /// <summary>The address of the recorder as its clients know it.</summary>
    public TransportAddress Server { get; }

    /// <summary>Every packet that the recorder's host sent, and every one that reached it.</summary>
    public PacketLog Log => _log;

    public RecordedSession Session => Recorder.Session;

    /// <summary>A client with the given address; behind a NAT of its own where one is described.</summary>
    public ScriptedSipPeer AddClient(ScriptedPeerOptions options, NatOptions? nat = null, string? address = null) => nat is null
        ? ScriptedSipPeer.AddTo(Network, address ?? PublicClient, options with { Server = Server })
        : ScriptedSipPeer.AddTo(Network, address ?? PrivateClient, options with { Server = Server }, Network.AddNat(ClientNatAddress, nat));

    public static NatOptions Nat(string kind) => kind switch
    {
        "full cone" => NatOptions.FullCone,
        "address-restricted" => NatOptions.AddressRestricted,
        "port-restricted" => NatOptions.PortRestricted,
        _ => NatOptions.Symmetric,
    };

    public void RunFor(double seconds) => Network.RunFor(TimeSpan.FromSeconds(seconds));

    /// <summary>Every frame that was sent stands in its file at its place, the rest is silence, and the file is complete.</summary>
    public void AssertRecordedWhole(ScriptedSipPeer peer, byte silence = 0xFF)
    {
        var session = Session;
        Assert.True(session.IsComplete, $"The session is {session.Snapshot.State}.");
        foreach (var stream in peer.Sent.GroupBy(f => f.Stream))
        {
            var first = stream.First().Index;
            var file = session.FileOf(stream.Key);
            Assert.True(file.IsComplete);
            var audio = file.Audio();
            AssertSame(Expected(stream, first, audio.Length, silence), audio);
        }
    }

    /// <summary>What a file must hold: each frame 160 bytes from its neighbour, and silence between.</summary>
    public static byte[] Expected(IEnumerable<SentFrame> frames, int first, int length, byte silence = 0xFF)
    {
        var audio = new byte[length];
        audio.AsSpan().Fill(silence);
        foreach (var frame in frames) ScriptedFrame.Fill(frame.Stream, frame.Index, audio.AsSpan((frame.Index - first) * ScriptedFrame.Length));
        return audio;
    }

    private static void AssertSame(byte[] expected, byte[] actual)
    {
        var common = expected.AsSpan().CommonPrefixLength(actual);
        if (common == expected.Length && common == actual.Length) return;

        Assert.Fail($"Byte {common} (frame {common / ScriptedFrame.Length}) of {expected.Length} expected and {actual.Length} actual bytes differs.");
    }
}
