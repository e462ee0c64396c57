namespace SipNat.Sip.Messages;

/// <summary>
/// What is to be said in answer to a request. Via, From, To, Call-ID, CSeq and Record-Route come from the request when
/// it is written (RFC 3261 §8.2.6.2), so that they cannot be got wrong here.
/// </summary>
public sealed record SipResponse
{
    /// <param name="status">100–699.</param>
    /// <param name="reason">One line; null for the status's registered phrase.</param>
    public SipResponse(int status, string? reason = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 699);
        (Status, Reason) = (status, SipText.OneLine(reason ?? SipStatus.Phrase(status)));
    }

    public int Status { get; }

    public string Reason { get; }

    /// <summary>The dialog's local tag; null lets the transaction choose one. A tag that the request has always stays.</summary>
    public string? ToTag { get; init; }

    /// <summary>Everything but what comes from the request, Content-Type and Content-Length; in this order.</summary>
    public IReadOnlyList<SipHeaderField> Headers { get; init; } = [];

    /// <summary>Required with a body, ignored without.</summary>
    public string? ContentType { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Writes the answer to a request, replacing what the writer holds.</summary>
    /// <param name="stamp">What is added to the top Via.</param>
    /// <param name="tag">To tag where neither the request nor <see cref="ToTag"/> has one; never on 100 (RFC 3261 §8.2.6.2).</param>
    /// <param name="product">Server header; null for none.</param>
    public void Write(SipWriter writer, SipMessage request, ViaStamp stamp, string tag, string? product)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Clear();
        writer.Raw("SIP/2.0 "u8).Number(Status).Raw(" "u8).Text(Reason).EndLine();
        WriteFromRequest(writer, request, stamp, tag);
        writer.Headers(Headers);
        if (product is not null) writer.Header(SipHeader.Server, product);
        writer.Body(ContentType, Body.Span);
    }

    private void WriteFromRequest(SipWriter writer, SipMessage request, ViaStamp stamp, string tag)
    {
        var isTop = true;
        foreach (var line in request.Lines)
        {
            // Whoever reads the Vias passes over empty ones; so does the stamp.
            var vias = SipText.TrimEmptyElements(line.Value);
            if (line.Header is not SipHeader.Via || vias.IsEmpty) continue;

            if (isTop) stamp.Write(writer, vias);
            else writer.Header(SipHeader.Via, vias);
            isTop = false;
        }

        WriteFirst(writer, request, SipHeader.From).EndLine();
        WriteFirst(writer, request, SipHeader.To);
        if (request.ToTag.IsEmpty && Status > 100) writer.Raw(";tag="u8).Text(ToTag ?? tag);
        writer.EndLine();
        WriteFirst(writer, request, SipHeader.CallId).EndLine();
        WriteFirst(writer, request, SipHeader.CSeq).EndLine();

        if (!request.Method.FormsDialog || Status is <= 100 or >= 300) return;

        foreach (var line in request.Lines)
        {
            if (line.Header is SipHeader.RecordRoute) writer.Header(SipHeader.RecordRoute, line.Value);
        }
    }

    private static SipWriter WriteFirst(SipWriter writer, SipMessage request, SipHeader header)
    {
        request.TryGet(header, out var value);
        return writer.Text(header.Name).Raw(": "u8).Unfolded(value);
    }
}
