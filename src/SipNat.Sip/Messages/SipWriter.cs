using System.Buffers.Text;
using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>
/// Builds one message in a buffer that grows and is used again. Text of ours with a line end is refused with an
/// exception, values of a peer are unfolded: neither can begin a header line of its own.
/// </summary>
public sealed class SipWriter
{
    private const int InitialCapacity = 2048;

    private byte[] _buffer = new byte[InitialCapacity];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public SipWriter Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
        return this;
    }

    /// <summary>One line of ours, or a part of one.</summary>
    public SipWriter Text(string text)
    {
        _length += Encoding.UTF8.GetBytes(SipText.OneLine(text), Reserve(Encoding.UTF8.GetMaxByteCount(text.Length)));
        return this;
    }

    public SipWriter Number(long number)
    {
        const int longest = 20;
        Utf8Formatter.TryFormat(number, Reserve(longest), out var written);
        _length += written;
        return this;
    }

    /// <summary>A value of a peer, its folds joined.</summary>
    public SipWriter Unfolded(ReadOnlySpan<byte> value)
    {
        _length += SipText.Unfold(value, Reserve(value.Length));
        return this;
    }

    public SipWriter EndLine() => Raw("\r\n"u8);

    public SipWriter Header(string name, string value) => Text(name).Raw(": "u8).Text(value).EndLine();

    public SipWriter Header(SipHeader header, string value) => Header(header.Name, value);

    public SipWriter Header(SipHeader header, ReadOnlySpan<byte> value) => Text(header.Name).Raw(": "u8).Unfolded(value).EndLine();

    public SipWriter Headers(IReadOnlyList<SipHeaderField> fields)
    {
        foreach (var field in fields) Header(field.Name, field.Value);

        return this;
    }

    /// <summary>Ends the header block with Content-Type and Content-Length, and adds the body.</summary>
    /// <param name="contentType">Required with a body, ignored without.</param>
    public SipWriter Body(string? contentType, ReadOnlySpan<byte> body)
    {
        if (!body.IsEmpty) Header(SipHeader.ContentType, contentType ?? throw new ArgumentNullException(nameof(contentType)));

        return Text(SipHeader.ContentLength.Name).Raw(": "u8).Number(body.Length).Raw("\r\n\r\n"u8).Raw(body);
    }

    private Span<byte> Reserve(int length)
    {
        if (_buffer.Length - _length < length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + length));

        return _buffer.AsSpan(_length);
    }
}
