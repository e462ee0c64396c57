namespace SipNat.Sip.Messages;

/// <summary>The values of one header in order, trimmed; the empty elements of a list are skipped.</summary>
public ref struct SipValueEnumerator
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<HeaderEntry> _entries;
    private readonly SipHeader _header;
    private readonly bool _isList;
    private ReadOnlySpan<byte> _rest;
    private int _next;

    internal SipValueEnumerator(ReadOnlySpan<byte> bytes, ReadOnlySpan<HeaderEntry> entries, SipHeader header)
    {
        _bytes = bytes;
        _entries = entries;
        (_header, _isList) = (header, header.IsList);
    }

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly SipValueEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        do
        {
            while (_rest.IsEmpty)
            {
                if (_next == _entries.Length) return false;

                var entry = _entries[_next++];
                if (entry.Header == _header) _rest = entry.Value.Of(_bytes);
            }

            var comma = _isList ? SipText.IndexOutside(_rest, (byte)',') : -1;
            Current = SipText.Trim(comma < 0 ? _rest : _rest[..comma]);
            _rest = comma < 0 ? default : _rest[(comma + 1)..];
        }
        while (Current.IsEmpty);

        return true;
    }
}

/// <summary>One header line; both spans as they arrived, the value trimmed.</summary>
public readonly ref struct SipHeaderLine
{
    internal SipHeaderLine(SipHeader header, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Header = header;
        Name = name;
        Value = value;
    }

    public SipHeader Header { get; }

    public ReadOnlySpan<byte> Name { get; }

    public ReadOnlySpan<byte> Value { get; }
}

/// <summary>All header lines of a message in order.</summary>
public ref struct SipLineEnumerator
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<HeaderEntry> _entries;
    private int _next;

    internal SipLineEnumerator(ReadOnlySpan<byte> bytes, ReadOnlySpan<HeaderEntry> entries)
    {
        _bytes = bytes;
        _entries = entries;
    }

    public SipHeaderLine Current { get; private set; }

    public readonly SipLineEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_next == _entries.Length) return false;

        var entry = _entries[_next++];
        Current = new(entry.Header, entry.Name.Of(_bytes), entry.Value.Of(_bytes));
        return true;
    }
}
