using System.Diagnostics;

namespace SipNat.Sip.Messages;

/// <summary>Why bytes are not a SIP message to act on. A metric tag; <see cref="SipDefects.Explain"/> is for the reason phrase.</summary>
public enum SipDefect
{
    None,

    /// <summary>Nothing but line ends or NUL: a keepalive.</summary>
    Empty,

    /// <summary>Longer than <see cref="SipMessage.MaxLength"/>, or a header block over <see cref="SipMessage.MaxHeaderLength"/>.</summary>
    TooLong,

    /// <summary>Neither a request line nor a status line.</summary>
    NotSip,

    /// <summary>SIP, but not SIP/2.0 (505).</summary>
    WrongVersion,

    BadStatusCode,
    BadRequestUri,

    /// <summary>The Request-URI's scheme is none of ours (416).</summary>
    UnsupportedScheme,

    /// <summary>No empty line ends the header block.</summary>
    TruncatedHeaders,
    TooManyHeaders,

    /// <summary>From, To, Call-ID or CSeq more than once, or Content-Length with different values.</summary>
    DuplicateHeader,

    MissingVia,
    BadVia,
    MissingFrom,
    BadFrom,
    MissingTo,
    BadTo,
    MissingCallId,
    BadCallId,
    MissingCSeq,
    BadCSeq,

    /// <summary>CSeq names another method than the request line.</summary>
    CSeqMethodMismatch,

    /// <summary>A stream message has no Content-Length (RFC 3261 §20.14).</summary>
    MissingContentLength,
    BadContentLength,

    /// <summary>Content-Length exceeds what the datagram holds.</summary>
    TruncatedBody,

    /// <summary>Content-Length exceeds <see cref="SipMessage.MaxBodyLength"/> (413).</summary>
    BodyTooLarge,
}

public static class SipDefects
{
    /// <summary>The fault in a few words, fit for a reason phrase.</summary>
    public static string Explain(this SipDefect defect) => defect switch
    {
        SipDefect.None => "No defect",
        SipDefect.Empty => "Empty message",
        SipDefect.TooLong => "Message too long",
        SipDefect.NotSip => "Not a SIP message",
        SipDefect.WrongVersion => "Version Not Supported",
        SipDefect.BadStatusCode => "Bad status code",
        SipDefect.BadRequestUri => "Bad Request-URI",
        SipDefect.UnsupportedScheme => "Unsupported URI Scheme",
        SipDefect.TruncatedHeaders => "Header block has no end",
        SipDefect.TooManyHeaders => "Too many header fields",
        SipDefect.DuplicateHeader => "Header field must not repeat",
        SipDefect.MissingVia => "Missing Via",
        SipDefect.BadVia => "Bad Via",
        SipDefect.MissingFrom => "Missing From",
        SipDefect.BadFrom => "Bad From",
        SipDefect.MissingTo => "Missing To",
        SipDefect.BadTo => "Bad To",
        SipDefect.MissingCallId => "Missing Call-ID",
        SipDefect.BadCallId => "Bad Call-ID",
        SipDefect.MissingCSeq => "Missing CSeq",
        SipDefect.BadCSeq => "Bad CSeq",
        SipDefect.CSeqMethodMismatch => "CSeq names another method",
        SipDefect.MissingContentLength => "Missing Content-Length",
        SipDefect.BadContentLength => "Bad Content-Length",
        SipDefect.TruncatedBody => "Content-Length exceeds the message",
        SipDefect.BodyTooLarge => "Request Entity Too Large",
        _ => throw new UnreachableException(),
    };

    /// <summary>The status that tells the sender of a request about it (RFC 3261 §21.4, §21.5).</summary>
    public static int Status(this SipDefect defect) => defect switch
    {
        SipDefect.WrongVersion => 505,
        SipDefect.UnsupportedScheme => 416,
        SipDefect.BodyTooLarge => 413,
        _ => 400,
    };
}
