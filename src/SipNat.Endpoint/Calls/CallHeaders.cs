using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Calls;

/// <summary>What our side of a call says of itself.</summary>
internal static class CallHeaders
{
    /// <summary>RFC 4028 §4 recommends half an hour.</summary>
    public const string SessionExpires = "1800";

    /// <summary>Option tags that a request may demand of us.</summary>
    public static readonly IReadOnlyList<string> SupportedOptions = ["timer", "100rel", "replaces", "norefersub", "gruu"];

    public static readonly SipHeaderField Allow = new(SipHeader.Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY");

    public static readonly SipHeaderField Supported = new(SipHeader.Supported, string.Join(", ", SupportedOptions));

    public static readonly SipHeaderField Accept = new(SipHeader.Accept, "application/sdp");

    public static readonly IReadOnlyList<SipHeaderField> Capabilities = [Allow, Supported, Accept];

    /// <summary>The error response that a request wants before its body is looked at (RFC 3261 §8.2); null where it can be served.</summary>
    public static SipResponse? Refuse(StoredSipMessage request) => RequestCheck.Refuse(request, SupportedOptions, Supported, Accept);
}
