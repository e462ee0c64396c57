using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>
/// A SIP message viewed in place over the received bytes (RFC 3261 §7). Values are given as they arrived, folds
/// included; <see cref="SipText.Unfold(ReadOnlySpan{byte})"/> joins them.
/// </summary>
public readonly ref struct SipMessage
{
    /// <summary>Start line and header block; longer ones are refused.</summary>
    public const int MaxHeaderLength = 64 * 1024;

    public const int MaxBodyLength = 64 * 1024;

    public const int MaxLength = MaxHeaderLength + MaxBodyLength;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly SipHeaderIndex _index;

    internal SipMessage(ReadOnlySpan<byte> bytes, SipHeaderIndex index)
    {
        _bytes = bytes;
        _index = index;
    }

    /// <summary>
    /// None for a message to act on. Otherwise a request that can be answered with
    /// <see cref="SipDefects.Status"/>, and is to be trusted in nothing else.
    /// </summary>
    public SipDefect Defect => _index.Layout.Defect;

    public bool IsRequest => _index.Layout.IsRequest;

    /// <summary>The method of the request line; of a response, the one of its CSeq.</summary>
    public SipMethod Method => _index.Layout.Method;

    public ReadOnlySpan<byte> MethodText => _index.Layout.MethodText.Of(_bytes);

    /// <summary>Empty in a response.</summary>
    public ReadOnlySpan<byte> RequestUri => _index.Layout.RequestUri.Of(_bytes);

    /// <summary>100–699; 0 in a request.</summary>
    public int StatusCode => _index.Layout.StatusCode;

    public ReadOnlySpan<byte> ReasonPhrase => _index.Layout.ReasonPhrase.Of(_bytes);

    public ReadOnlySpan<byte> CallId => _index.Layout.CallId.Of(_bytes);

    public uint CSeqNumber => _index.Layout.CSeqNumber;

    /// <summary>Empty where the peer follows RFC 2543 and gives none.</summary>
    public ReadOnlySpan<byte> FromTag => _index.Layout.FromTag.Of(_bytes);

    /// <summary>Empty outside a dialog.</summary>
    public ReadOnlySpan<byte> ToTag => _index.Layout.ToTag.Of(_bytes);

    /// <summary>As long as Content-Length says; without one, the rest of the datagram (RFC 3261 §18.3).</summary>
    public ReadOnlySpan<byte> Body => _index.Layout.Body.Of(_bytes);

    internal ReadOnlySpan<byte> Bytes => _bytes;

    internal SipHeaderIndex Index => _index;

    /// <summary>
    /// Reads one datagram, or one framed message of a stream. False where nothing can be done but to drop it; a request
    /// with a defect that its sender can be told of is read, and has that <see cref="Defect"/>.
    /// </summary>
    /// <param name="bytes">Line ends before the start line are skipped (RFC 3261 §7.5).</param>
    /// <param name="index">Filled by this call; the message is valid until its next use.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, SipHeaderIndex index, out SipMessage message, out SipDefect defect)
    {
        ArgumentNullException.ThrowIfNull(index);
        var readable = new SipMessageReader(bytes, index).TryRead(out defect);
        message = readable ? new(bytes, index) : default;
        return readable;
    }

    /// <summary>The first header line of a name; a list header's whole line.</summary>
    public bool TryGet(SipHeader header, out ReadOnlySpan<byte> value)
    {
        foreach (var entry in _index.Entries)
        {
            if (entry.Header != header) continue;

            value = entry.Value.Of(_bytes);
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>The first header line of a name that <see cref="SipHeader"/> does not have, in any case.</summary>
    public bool TryGetOther(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (var line in Lines)
        {
            if (line.Header is not SipHeader.Other || !Ascii.EqualsIgnoreCase(line.Name, name)) continue;

            value = line.Value;
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>Every value of one header in order; where it is a list, each element of each line (RFC 3261 §7.3.1).</summary>
    public SipValueEnumerator Values(SipHeader header) => new(_bytes, _index.Entries, header);

    /// <summary>Every header line in order.</summary>
    public SipLineEnumerator Lines => new(_bytes, _index.Entries);

    public bool TryGetTopVia(out Via via)
    {
        foreach (var value in Values(SipHeader.Via)) return Via.TryRead(value, out via);

        via = default;
        return false;
    }

    /// <summary>The first value of an address header such as From, Contact or Refer-To.</summary>
    public bool TryGetAddress(SipHeader header, out NameAddress address)
    {
        foreach (var value in Values(header)) return NameAddress.TryRead(value, out address);

        address = default;
        return false;
    }

    /// <summary>Whether a list of tokens (Require, Supported, Allow, …) holds one, in any case.</summary>
    public bool HasToken(SipHeader header, ReadOnlySpan<byte> token)
    {
        foreach (var value in Values(header))
        {
            if (Ascii.EqualsIgnoreCase(value, token)) return true;
        }

        return false;
    }
}
