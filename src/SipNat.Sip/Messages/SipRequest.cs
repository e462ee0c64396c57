namespace SipNat.Sip.Messages;

/// <summary>A request of ours without its Via, which the transaction adds. Values are whole header values, without line ends.</summary>
public sealed record SipRequest
{
    /// <summary>RFC 3261 §8.1.1.6.</summary>
    public const int InitialMaxForwards = 70;

    public required SipMethod Method { get; init; }

    /// <summary>The Request-URI.</summary>
    public required string Uri { get; init; }

    /// <summary>The whole value, with its tag.</summary>
    public required string From { get; init; }

    /// <summary>The whole value, with its tag inside a dialog.</summary>
    public required string To { get; init; }

    public required string CallId { get; init; }

    /// <summary>Below 2^31 (RFC 3261 §8.1.1.5).</summary>
    public required uint CSeq { get; init; }

    public int MaxForwards { get; init; } = InitialMaxForwards;

    /// <summary>Route values in order, each with its angle brackets.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Everything that has no member of its own here, Contact among it; in this order.</summary>
    public IReadOnlyList<SipHeaderField> Headers { get; init; } = [];

    /// <summary>Whether our Via says that we send keepalives where the next hop takes them (RFC 6223 §4.3): for REGISTER, and for what begins a dialog.</summary>
    public bool OffersKeep { get; init; }

    /// <summary>Required with a body, ignored without.</summary>
    public string? ContentType { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Writes the request, replacing what the writer holds.</summary>
    /// <param name="via">The whole Via value.</param>
    /// <param name="product">User-Agent; null for none.</param>
    public void Write(SipWriter writer, string via, string? product)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Clear();
        writer.Text(Method.Name).Raw(" "u8).Text(Uri).Raw(" SIP/2.0\r\n"u8);
        writer.Header(SipHeader.Via, via);
        writer.Text(SipHeader.MaxForwards.Name).Raw(": "u8).Number(MaxForwards).EndLine();
        foreach (var route in Routes) writer.Header(SipHeader.Route, route);
        writer.Header(SipHeader.From, From).Header(SipHeader.To, To).Header(SipHeader.CallId, CallId);
        writer.Text(SipHeader.CSeq.Name).Raw(": "u8).Number(CSeq).Raw(" "u8).Text(Method.Name).EndLine();
        writer.Headers(Headers);
        if (product is not null) writer.Header(SipHeader.UserAgent, product);
        writer.Body(ContentType, Body.Span);
    }
}
