namespace SipNat.Server.Options;

/// <summary>Everything that is configured, validated. One record per section of appsettings.json.</summary>
public sealed record SipNatOptions
{
    /// <summary>Domains of accounts that are asked for STUN servers: servers of one provider have more to say than those of many.</summary>
    public const int MaxStunDomains = 4;

    public SipOptions Sip { get; init; } = new();

    public NatOptions Nat { get; init; } = new();

    public MediaOptions Media { get; init; } = new();

    public RecordingOptions Recording { get; init; } = new();

    public HttpOptions Http { get; init; } = new();

    public IReadOnlyList<AccountSettings> Accounts { get; init; } = [];

    public CallsOptions Calls { get; init; } = new();

    public IReadOnlyList<WebhookOptions> Webhooks { get; init; } = [];

    public LogOptions Log { get; init; } = new();

    /// <summary>The STUN servers of <c>Nat:StunServers</c>; where there are none, the domains of accounts that may have some.</summary>
    public IReadOnlyList<HostName> StunServers => Nat.StunServers.Count > 0 || !Nat.StunDiscovery ? Nat.StunServers :
    [
        .. Accounts.Where(static account => !account.Uri.TryGetAddress(out _))
            .Select(static account => new HostName(account.Uri.Host.ToLowerInvariant(), NatOptions.DefaultStunPort) { Service = ServiceKind.Stun, IsOptional = true })
            .Distinct()
            .Take(MaxStunDomains),
    ];
}
