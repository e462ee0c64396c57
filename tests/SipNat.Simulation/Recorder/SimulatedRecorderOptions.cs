using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Media;
using SipNat.Media.Streams;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Simulation.Recorder;

/// <summary>How a <see cref="SimulatedRecorder"/> is configured: what the server's appsettings would say.</summary>
public sealed record SimulatedRecorderOptions
{
    /// <summary>Ids, tags, intervals and everything else that is drawn by chance.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The UDP and TCP port of SIP.</summary>
    public int SipPort { get; init; } = 5060;

    /// <summary>The lowest media port; RTP is on even ones.</summary>
    public int FirstMediaPort { get; init; } = 10000;

    /// <summary>The highest media port.</summary>
    public int LastMediaPort { get; init; } = 19999;

    /// <summary>A second address of the host that media is received on; null for the one of signalling.</summary>
    public string? MediaAddress { get; init; }

    /// <summary>Addresses of the host that ICE tells beside the one that a peer came in on, the best first.</summary>
    public IReadOnlyList<string> FurtherAddresses { get; init; } = [];

    /// <summary>Who may record; everybody without more.</summary>
    public IReadOnlyList<NetworkPrefix> AllowedNetworks { get; init; } = [NetworkPrefix.Parse("0.0.0.0/0"), NetworkPrefix.Parse("::/0")];

    /// <summary>The networks that are reached without a NAT.</summary>
    public IReadOnlyList<NetworkPrefix> LocalNetworks { get; init; } = [];

    /// <summary>Public addresses that are configured.</summary>
    public IReadOnlyList<TransportAddress> External { get; init; } = [];

    public ForwardedPorts ForwardedPorts { get; init; }

    public int? ExternalSipPort { get; init; }

    public int? ExternalMediaFirstPort { get; init; }

    public IReadOnlyList<TransportAddress> StunServers { get; init; } = [];

    /// <summary>TURN servers by UDP, with their credentials.</summary>
    public IReadOnlyList<TurnServerOptions> TurnServers { get; init; } = [];

    /// <summary>Whether ICE is answered, and how.</summary>
    public IceMode Ice { get; init; } = IceMode.Offered;

    /// <summary>Whether media go by relays only.</summary>
    public bool IsRelayOnly { get; init; }

    /// <summary>How media that are encrypted are treated.</summary>
    public SrtpMode Srtp { get; init; } = SrtpMode.Offered;

    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(25);

    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Who may move the media address.</summary>
    public LatchPolicy Latch { get; init; } = LatchPolicy.Signalling;

    public int MaxSessions { get; init; } = 2_000;

    public int MaxSessionsPerPeer { get; init; } = 2_000;

    public int MaxUnacknowledgedPerPeer { get; init; } = 200;

    public int AnswersPerSecond { get; init; } = 2_000;

    public int RefusalsPerSecond { get; init; } = 5;

    /// <summary>Pairs of media ports that are bound and mapped ahead.</summary>
    public int SparePorts { get; init; } = 8;

    /// <summary>Whether ports are bound ahead from the start, or with the first session.</summary>
    public bool PreparesPorts { get; init; } = true;
}
