namespace SipNat.Server.Options;

/// <summary>Everything that is configured, validated. One record per section of appsettings.json.</summary>
public sealed record SipNatOptions
{
    public SipOptions Sip { get; init; } = new();

    public NatOptions Nat { get; init; } = new();

    public MediaOptions Media { get; init; } = new();

    public RecordingOptions Recording { get; init; } = new();

    public HttpOptions Http { get; init; } = new();

    public IReadOnlyList<AccountSettings> Accounts { get; init; } = [];

    public CallsOptions Calls { get; init; } = new();

    public IReadOnlyList<WebhookOptions> Webhooks { get; init; } = [];

    public LogOptions Log { get; init; } = new();
}
