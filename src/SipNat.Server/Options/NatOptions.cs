using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Nat</c> section.</summary>
public sealed record NatOptions
{
    public const int DefaultStunPort = 3478;

    /// <summary>Public addresses or host names of this server; empty: none is known.</summary>
    public IReadOnlyList<HostName> ExternalAddress { get; init; } = [];

    /// <summary>Whether the router forwards our ports.</summary>
    public ForwardedPorts ForwardedPorts { get; init; } = ForwardedPorts.None;

    /// <summary>The public SIP port where it differs from ours; 1–65535.</summary>
    public int? ExternalSipPort { get; init; }

    /// <summary>The public port that stands for <see cref="MediaOptions.FirstPort"/> where it differs; even, 1024–65534.</summary>
    public int? ExternalMediaFirstPort { get; init; }

    /// <summary>STUN servers, asked from the very sockets that carry SIP and media.</summary>
    public IReadOnlyList<HostName> StunServers { get; init; } = [];

    /// <summary>Whether the domains of accounts are asked for STUN servers where none is configured (RFC 8489 §8).</summary>
    public bool StunDiscovery { get; init; } = true;

    /// <summary>TURN servers, asked for a relay all at once.</summary>
    public IReadOnlyList<TurnServerSettings> TurnServers { get; init; } = [];

    /// <summary>Which cloud is asked for the public address of this machine.</summary>
    public CloudMetadata CloudMetadata { get; init; } = CloudMetadata.Auto;

    /// <summary>Whether the router is asked to open our ports.</summary>
    public PortMapping PortMapping { get; init; } = PortMapping.Off;

    /// <summary>Peers there are told the local address; null: the private networks of this machine's interfaces.</summary>
    public IReadOnlyList<NetworkPrefix>? LocalNetworks { get; init; }

    /// <summary>Upper bound of the keepalive interval, which a measured lifetime lowers; 1 s to 1 h.</summary>
    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Whether <c>serve</c> measures how long the NAT keeps a silent mapping, and keeps mappings alive more often where that is shorter.</summary>
    public bool MeasureLifetime { get; init; } = true;

    /// <summary>Whether ICE is answered where a peer offers it, and offered in offers of ours, and how.</summary>
    public NatIce Ice { get; init; } = NatIce.Offered;

    /// <summary>Media go by TURN servers only: peers outside the local networks learn no address of ours by them.</summary>
    public bool RelayOnly { get; init; }

    /// <summary>The mean time between two checks of a path that ICE has found; 1 to 15 s.</summary>
    public TimeSpan ConsentInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After so long without an answer a path is dead; 5 s to 2 min, and more than <see cref="ConsentInterval"/>.</summary>
    public TimeSpan ConsentTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal static NatOptions Read(SettingReader settings)
    {
        var options = new NatOptions
        {
            ExternalAddress = settings.List("Nat:ExternalAddress", SettingText.ExternalHost) ?? [],
            ForwardedPorts = settings.Choice("Nat:ForwardedPorts", ForwardedPorts.None),
            ExternalSipPort = settings.OptionalInteger("Nat:ExternalSipPort", 1, ushort.MaxValue),
            ExternalMediaFirstPort = settings.OptionalInteger("Nat:ExternalMediaFirstPort", 1024, 65534),
            StunServers = settings.List("Nat:StunServers", SettingText.StunServer) ?? [],
            StunDiscovery = settings.Boolean("Nat:StunDiscovery", true),
            TurnServers = TurnServerSettings.Read(settings),
            CloudMetadata = settings.Choice("Nat:CloudMetadata", CloudMetadata.Auto),
            PortMapping = settings.Choice("Nat:PortMapping", PortMapping.Off),
            LocalNetworks = settings.List("Nat:LocalNetworks", SettingText.Network),
            Ice = settings.Choice("Nat:Ice", NatIce.Offered),
            RelayOnly = settings.Boolean("Nat:RelayOnly", false),
            ConsentInterval = settings.Duration("Nat:ConsentInterval", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15)),
            ConsentTimeout = settings.Duration("Nat:ConsentTimeout", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2)),
            Keepalive = settings.Duration("Nat:Keepalive", TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            MeasureLifetime = settings.Boolean("Nat:MeasureLifetime", true),
        };
        options.Validate(settings);
        return options;
    }

    private void Validate(SettingReader settings)
    {
        if (ExternalMediaFirstPort is { } port)
        {
            settings.Require(port % 2 == 0, "Nat:ExternalMediaFirstPort", "must be even: RTP takes the even port and RTCP the next one (RFC 3550 §11).");
        }

        const string OnlyForwarded = "has a meaning only where the router forwards ports; set Nat:ForwardedPorts to Same.";
        settings.Require(ExternalSipPort is null || ForwardedPorts is ForwardedPorts.Same, "Nat:ExternalSipPort", OnlyForwarded);
        settings.Require(ExternalMediaFirstPort is null || ForwardedPorts is ForwardedPorts.Same, "Nat:ExternalMediaFirstPort", OnlyForwarded);
        settings.Require(
            ForwardedPorts is ForwardedPorts.None || ExternalAddress.Count > 0 || StunServers.Count > 0,
            "Nat:ForwardedPorts",
            "needs to know the public address: set Nat:ExternalAddress:0, or Nat:StunServers:0 to learn it.");
        settings.Require(!RelayOnly || TurnServers.Count > 0, "Nat:RelayOnly", "needs a server that relays: set Nat:TurnServers:0:Uri.");
        settings.Require(ConsentTimeout > ConsentInterval, "Nat:ConsentTimeout", "must be longer than Nat:ConsentInterval.");
        settings.Require(
            Ice is not NatIce.Lite || ExternalAddress.Count > 0 || LocalInterfaces.Read().Any(i => !i.Address.IsPrivate && !i.Address.IsLoopback),
            "Nat:Ice",
            "cannot be Lite here: a lite agent has to be reached at an address that it knows. Set Nat:ExternalAddress:0, or Nat:Ice to Offered.");
    }
}

/// <summary>How ICE is used.</summary>
public enum NatIce
{
    Off,

    /// <summary>A full agent answers where ICE is offered, and is part of offers of ours.</summary>
    Offered,

    /// <summary>The same by a lite agent, on a machine with a public address.</summary>
    Lite,
}

/// <summary>What the router in front of this server does with our SIP and media ports.</summary>
public enum ForwardedPorts
{
    None,

    /// <summary>They are forwarded 1:1, or shifted where an external port is configured.</summary>
    Same,
}

/// <summary>Whose metadata service knows the public address of this machine.</summary>
public enum CloudMetadata
{
    Off,

    /// <summary>That of the cloud that the machine's firmware names; none elsewhere.</summary>
    Auto,

    /// <summary>Amazon EC2, by IMDSv2.</summary>
    Aws,

    /// <summary>Google Compute Engine.</summary>
    Gcp,

    /// <summary>Microsoft Azure.</summary>
    Azure,
}

/// <summary>Whether the router in front of this server is asked to open our ports.</summary>
public enum PortMapping
{
    /// <summary>A router is not opened unasked.</summary>
    Off,

    /// <summary>By PCP, NAT-PMP or UPnP, whichever it speaks.</summary>
    Auto,
}

/// <summary>A host by name or address, and a port (0 where the setting has none).</summary>
/// <param name="Host">A DNS name, or an address without brackets.</param>
public sealed record HostName(string Host, int Port)
{
    /// <summary>What the DNS is asked for first, as the setting has no port: <see cref="Port"/> is for a domain without such records.</summary>
    public ServiceKind Service { get; init; }

    /// <summary>Whether it is a domain of which nothing but the servers of <see cref="Service"/> is wanted, if it has any.</summary>
    public bool IsOptional { get; init; }

    /// <summary>The address where <see cref="Host"/> is one; none for a name.</summary>
    public TransportAddress Address =>
        TransportAddress.TryParse(Host.Contains(':') ? $"[{Host}]" : Host, out var address) ? address.WithPort(Port) : default;

    public override string ToString() => (Host.Contains(':'), Port) switch
    {
        (true, 0) => $"[{Host}]",
        (true, _) => $"[{Host}]:{Port}",
        (false, 0) => Host,
        (false, _) => $"{Host}:{Port}",
    };
}

/// <summary>Services that the DNS names the servers of (RFC 8489 §8, RFC 5928).</summary>
public enum ServiceKind
{
    None,
    Stun,

    /// <summary>TURN by whatever transport the domain prefers.</summary>
    Turn,
    TurnUdp,
    TurnTcp,

    /// <summary>TURN over TLS.</summary>
    Turns,
}
