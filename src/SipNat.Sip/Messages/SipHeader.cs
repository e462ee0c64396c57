using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>Header fields that have a meaning here, from the IANA registry of SIP header fields.</summary>
public enum SipHeader
{
    /// <summary>Any other name; see <see cref="SipMessage.TryGetOther"/>.</summary>
    Other,

    // RFC 3261
    Accept,
    AcceptEncoding,
    AcceptLanguage,
    AlertInfo,
    Allow,
    AuthenticationInfo,
    Authorization,
    CallId,
    CallInfo,
    Contact,
    ContentDisposition,
    ContentEncoding,
    ContentLanguage,
    ContentLength,
    ContentType,
    CSeq,
    Date,
    ErrorInfo,
    Expires,
    From,
    InReplyTo,
    MaxForwards,
    MimeVersion,
    MinExpires,
    Organization,
    Priority,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyRequire,
    RecordRoute,
    ReplyTo,
    Require,
    RetryAfter,
    Route,
    Server,
    Subject,
    Supported,
    Timestamp,
    To,
    Unsupported,
    UserAgent,
    Via,
    Warning,
    WwwAuthenticate,

    // RFC 3262 (reliable provisional responses)
    RAck,
    RSeq,

    // RFC 3325 (asserted identity), RFC 3323 (privacy)
    PAssertedIdentity,
    PPreferredIdentity,
    Privacy,

    // RFC 3326, 3327, 3608
    Reason,
    Path,
    ServiceRoute,

    // RFC 3515, 3891, 3892, 3911 (transfer)
    ReferTo,
    Replaces,
    ReferredBy,
    Join,

    // RFC 3841 (caller preferences)
    AcceptContact,
    RejectContact,
    RequestDisposition,

    // RFC 3903, 6665 (events)
    AllowEvents,
    Event,
    SipETag,
    SipIfMatch,
    SubscriptionState,

    // RFC 4028 (session timers)
    MinSE,
    SessionExpires,

    // RFC 5626 (outbound)
    FlowTimer,

    // RFC 5806, 7044 (diversion)
    Diversion,
    HistoryInfo,

    // RFC 6223, 7433, 7989, 8224
    UserToUser,
    SessionId,
    Identity,
    IdentityInfo,
}

public static class SipHeaders
{
    private static readonly Entry[] Entries =
    [
        new(SipHeader.Accept, "Accept", IsList: true),
        new(SipHeader.AcceptContact, "Accept-Contact", 'a', IsList: true),
        new(SipHeader.AcceptEncoding, "Accept-Encoding", IsList: true),
        new(SipHeader.AcceptLanguage, "Accept-Language", IsList: true),
        new(SipHeader.AlertInfo, "Alert-Info", IsList: true),
        new(SipHeader.Allow, "Allow", IsList: true),
        new(SipHeader.AllowEvents, "Allow-Events", 'u', IsList: true),
        new(SipHeader.AuthenticationInfo, "Authentication-Info"),
        new(SipHeader.Authorization, "Authorization"),
        new(SipHeader.CallId, "Call-ID", 'i'),
        new(SipHeader.CallInfo, "Call-Info", IsList: true),
        new(SipHeader.Contact, "Contact", 'm', IsList: true),
        new(SipHeader.ContentDisposition, "Content-Disposition"),
        new(SipHeader.ContentEncoding, "Content-Encoding", 'e', IsList: true),
        new(SipHeader.ContentLanguage, "Content-Language", IsList: true),
        new(SipHeader.ContentLength, "Content-Length", 'l'),
        new(SipHeader.ContentType, "Content-Type", 'c'),
        new(SipHeader.CSeq, "CSeq"),
        new(SipHeader.Date, "Date"),
        new(SipHeader.Diversion, "Diversion", IsList: true),
        new(SipHeader.ErrorInfo, "Error-Info", IsList: true),
        new(SipHeader.Event, "Event", 'o'),
        new(SipHeader.Expires, "Expires"),
        new(SipHeader.FlowTimer, "Flow-Timer"),
        new(SipHeader.From, "From", 'f'),
        new(SipHeader.HistoryInfo, "History-Info", IsList: true),
        new(SipHeader.Identity, "Identity", 'y'),
        new(SipHeader.IdentityInfo, "Identity-Info", 'n'),
        new(SipHeader.InReplyTo, "In-Reply-To", IsList: true),
        new(SipHeader.Join, "Join"),
        new(SipHeader.MaxForwards, "Max-Forwards"),
        new(SipHeader.MimeVersion, "MIME-Version"),
        new(SipHeader.MinExpires, "Min-Expires"),
        new(SipHeader.MinSE, "Min-SE"),
        new(SipHeader.Organization, "Organization"),
        new(SipHeader.PAssertedIdentity, "P-Asserted-Identity", IsList: true),
        new(SipHeader.Path, "Path", IsList: true),
        new(SipHeader.PPreferredIdentity, "P-Preferred-Identity", IsList: true),
        new(SipHeader.Priority, "Priority"),
        new(SipHeader.Privacy, "Privacy"),
        new(SipHeader.ProxyAuthenticate, "Proxy-Authenticate"),
        new(SipHeader.ProxyAuthorization, "Proxy-Authorization"),
        new(SipHeader.ProxyRequire, "Proxy-Require", IsList: true),
        new(SipHeader.RAck, "RAck"),
        new(SipHeader.Reason, "Reason", IsList: true),
        new(SipHeader.RecordRoute, "Record-Route", IsList: true),
        new(SipHeader.ReferredBy, "Referred-By", 'b'),
        new(SipHeader.ReferTo, "Refer-To", 'r'),
        new(SipHeader.RejectContact, "Reject-Contact", 'j', IsList: true),
        new(SipHeader.Replaces, "Replaces"),
        new(SipHeader.ReplyTo, "Reply-To"),
        new(SipHeader.RequestDisposition, "Request-Disposition", 'd', IsList: true),
        new(SipHeader.Require, "Require", IsList: true),
        new(SipHeader.RetryAfter, "Retry-After"),
        new(SipHeader.Route, "Route", IsList: true),
        new(SipHeader.RSeq, "RSeq"),
        new(SipHeader.Server, "Server"),
        new(SipHeader.ServiceRoute, "Service-Route", IsList: true),
        new(SipHeader.SessionExpires, "Session-Expires", 'x'),
        new(SipHeader.SessionId, "Session-ID"),
        new(SipHeader.SipETag, "SIP-ETag"),
        new(SipHeader.SipIfMatch, "SIP-If-Match"),
        new(SipHeader.Subject, "Subject", 's'),
        new(SipHeader.SubscriptionState, "Subscription-State"),
        new(SipHeader.Supported, "Supported", 'k', IsList: true),
        new(SipHeader.Timestamp, "Timestamp"),
        new(SipHeader.To, "To", 't'),
        new(SipHeader.Unsupported, "Unsupported", IsList: true),
        new(SipHeader.UserAgent, "User-Agent"),
        new(SipHeader.UserToUser, "User-to-User", IsList: true),
        new(SipHeader.Via, "Via", 'v', IsList: true),
        new(SipHeader.Warning, "Warning", IsList: true),
        new(SipHeader.WwwAuthenticate, "WWW-Authenticate"),
    ];

    private static readonly int LongestName = Entries.Max(e => e.Name.Length);

    private static readonly Entry[][] ByLength = GroupByLength();

    private static readonly SipHeader[] ByCompactForm = IndexCompactForms();

    private static readonly Entry?[] ByHeader = IndexHeaders();

    extension(SipHeader header)
    {
        /// <summary>The full name as it is written; empty for <see cref="SipHeader.Other"/>.</summary>
        public string Name => ByHeader[(int)header]?.Name ?? "";

        /// <summary>Its value is a list that commas divide and that several header lines may carry (RFC 3261 §7.3.1).</summary>
        public bool IsList => ByHeader[(int)header]?.IsList ?? false;
    }

    /// <summary>The header that a full or compact name stands for, in any case; <see cref="SipHeader.Other"/> for any other.</summary>
    public static SipHeader Find(ReadOnlySpan<byte> name)
    {
        if (name.Length == 1) return CompactForm(name[0]);
        if (name.Length > LongestName) return SipHeader.Other;

        foreach (var entry in ByLength[name.Length])
        {
            if (Ascii.EqualsIgnoreCase(name, entry.Name)) return entry.Header;
        }

        return SipHeader.Other;
    }

    private static SipHeader CompactForm(byte letter)
    {
        var index = (letter | 0x20) - 'a';
        return index is >= 0 and < 26 ? ByCompactForm[index] : SipHeader.Other;
    }

    private static Entry[][] GroupByLength()
    {
        var groups = new Entry[LongestName + 1][];
        for (var length = 0; length < groups.Length; length++) groups[length] = [.. Entries.Where(e => e.Name.Length == length)];

        return groups;
    }

    private static SipHeader[] IndexCompactForms()
    {
        var forms = new SipHeader[26];
        foreach (var entry in Entries.Where(e => e.Compact != 0)) forms[entry.Compact - 'a'] = entry.Header;

        return forms;
    }

    private static Entry?[] IndexHeaders()
    {
        var headers = new Entry?[Enum.GetValues<SipHeader>().Length];
        foreach (var entry in Entries) headers[(int)entry.Header] = entry;

        return headers;
    }

    private sealed record Entry(SipHeader Header, string Name, char Compact = '\0', bool IsList = false);
}
