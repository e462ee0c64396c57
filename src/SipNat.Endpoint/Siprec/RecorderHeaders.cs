using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>What a session recording server says of itself in its answers (RFC 7866 §6.2, §7.1).</summary>
internal static class RecorderHeaders
{
    public const string AllowedMethods = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK";

    /// <summary>Option tags that a request may demand of us. A direct 200 satisfies 100rel: no provisional answer needs it.</summary>
    public static readonly IReadOnlyList<string> SupportedOptions = ["siprec", "timer", "100rel", "replaces"];

    public static readonly SipHeaderField Allow = new(SipHeader.Allow, AllowedMethods);

    public static readonly SipHeaderField Supported = new(SipHeader.Supported, string.Join(", ", SupportedOptions));

    public static readonly SipHeaderField Accept = new(
        SipHeader.Accept,
        "application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed");

    /// <summary>On every 200 to INVITE, UPDATE and OPTIONS: session border controllers judge health by it.</summary>
    public static readonly IReadOnlyList<SipHeaderField> Capabilities = [Allow, Supported, Accept];

    /// <summary>A Warning with a text of ours (RFC 3261 §20.43); 399 is "miscellaneous".</summary>
    public static SipHeaderField Warning(int code, string agent, string text) =>
        new(SipHeader.Warning, $"{code} {agent} {SipText.Quote(text)}");

    public static SipHeaderField RetryAfter(int seconds) => new(SipHeader.RetryAfter, $"{seconds}");
}
