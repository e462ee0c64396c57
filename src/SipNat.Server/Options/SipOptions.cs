using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Sip</c> section.</summary>
public sealed record SipOptions
{
    public const int DefaultPort = 5060;
    public const int DefaultMaxSessions = 2_000;
    public const int MostSessions = 20_000;

    /// <summary>Where SIP is heard.</summary>
    public IReadOnlyList<SipListener> Listen { get; init; } = DefaultListeners;

    /// <summary>Who we are to those that connect with TLS; null where nothing listens for them.</summary>
    public SipTlsOptions? Tls { get; init; }

    /// <summary>A PEM file of the authorities that may vouch for servers that no account names; null: those of the system.</summary>
    public string? ServerCa { get; init; }

    /// <summary>The pages whose scripts may open a WebSocket.</summary>
    public IReadOnlyList<string> WebSocketOrigins { get; init; } = [];

    /// <summary>Who may record; null: loopback and the local networks.</summary>
    public IReadOnlyList<NetworkPrefix>? AllowedNetworks { get; init; }

    /// <summary>Private UDP senders are answered at their source, also where they did not ask for it (RFC 3581).</summary>
    public bool ForceRport { get; init; } = true;

    /// <summary>Recording sessions at one time; one more gets 503.</summary>
    public int MaxSessions { get; init; } = DefaultMaxSessions;

    /// <summary>Recording sessions of one peer at one time; one more gets 503.</summary>
    public int MaxSessionsPerPeer { get; init; } = DefaultMaxSessions;

    /// <summary>UDP and TCP on port 5060 of every address.</summary>
    public static IReadOnlyList<SipListener> DefaultListeners { get; } =
    [
        .. from host in (string[])["0.0.0.0", "[::]"]
           from transport in (TransportProtocol[])[TransportProtocol.Udp, TransportProtocol.Tcp]
           select new SipListener(transport, TransportAddress.Parse(host, DefaultPort)),
    ];

    internal static SipOptions Read(SettingReader settings)
    {
        var sessions = settings.Integer("Sip:MaxSessions", DefaultMaxSessions, 1, MostSessions);
        var listeners = settings.List("Sip:Listen", SettingText.Listener) ?? DefaultListeners;
        return new()
        {
            Listen = listeners,
            Tls = SipTlsOptions.Read(settings, listeners),
            ServerCa = settings.Value<string?>("Sip:Tls:ServerCa", null, settings.CertificateFile),
            WebSocketOrigins = settings.List("Sip:WebSocketOrigins", SettingText.Origin) ?? [],
            AllowedNetworks = settings.List("Sip:AllowedNetworks", SettingText.Network),
            ForceRport = settings.Boolean("Sip:ForceRport", true),
            MaxSessions = sessions,
            MaxSessionsPerPeer = settings.Integer("Sip:MaxSessionsPerPeer", sessions, 1, MostSessions),
        };
    }
}
