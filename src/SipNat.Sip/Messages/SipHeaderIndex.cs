namespace SipNat.Sip.Messages;

/// <summary>
/// Where the parts of one message lie within its bytes. Made once and filled by each <see cref="SipMessage.TryRead"/>:
/// the views of an earlier message end with the next one.
/// </summary>
public sealed class SipHeaderIndex
{
    /// <summary>Header lines that are read; a message with more of them is refused.</summary>
    public const int MaxHeaders = 256;

    private const int UsualHeaders = 32;

    private HeaderEntry[] _entries = new HeaderEntry[UsualHeaders];

    public int Count { get; private set; }

    internal ReadOnlySpan<HeaderEntry> Entries => _entries.AsSpan(0, Count);

    internal MessageLayout Layout { get; set; }

    internal void Clear() => (Count, Layout) = (0, default);

    internal bool TryAdd(HeaderEntry entry)
    {
        if (Count == MaxHeaders) return false;
        if (Count == _entries.Length) Array.Resize(ref _entries, MaxHeaders);

        _entries[Count++] = entry;
        return true;
    }

    internal SipHeaderIndex Copy() => new() { _entries = Entries.ToArray(), Count = Count, Layout = Layout };
}

/// <summary>A part of a message, in bytes from its first one.</summary>
internal readonly record struct TextRange(int Start, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> bytes) => bytes.Slice(Start, Length);
}

internal readonly record struct HeaderEntry(SipHeader Header, TextRange Name, TextRange Value);

/// <summary>What the start line and the mandatory headers say.</summary>
internal record struct MessageLayout
{
    public bool IsRequest { get; set; }

    public SipMethod Method { get; set; }

    public TextRange MethodText { get; set; }

    public TextRange RequestUri { get; set; }

    public int StatusCode { get; set; }

    public TextRange ReasonPhrase { get; set; }

    public TextRange CallId { get; set; }

    public TextRange FromTag { get; set; }

    public TextRange ToTag { get; set; }

    public uint CSeqNumber { get; set; }

    public TextRange Body { get; set; }

    public SipDefect Defect { get; set; }
}
