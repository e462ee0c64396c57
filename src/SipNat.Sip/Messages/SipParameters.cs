using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>
/// The parameters behind a value, <c>;name=value;flag</c> (RFC 3261 §25.1, generic-param). Anything readable is read:
/// empty parameters are skipped, an unterminated quote reaches to the end.
/// </summary>
public readonly ref struct SipParameters
{
    private readonly ReadOnlySpan<byte> _text;

    /// <param name="text">Empty, or beginning with a semicolon.</param>
    internal SipParameters(ReadOnlySpan<byte> text) => _text = text;

    public ReadOnlySpan<byte> Text => _text;

    /// <summary>The parameters of a header value such as <c>1800;refresher=uac</c>, from its first semicolon on.</summary>
    public static SipParameters After(ReadOnlySpan<byte> value)
    {
        var semicolon = SipText.IndexOutside(value, (byte)';');
        return new(semicolon < 0 ? default : value[semicolon..]);
    }

    /// <summary>Finds the first parameter of a name, in any case. The value is empty for a flag, and keeps its quotes.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (var parameter in this)
        {
            if (!Ascii.EqualsIgnoreCase(parameter.Name, name)) continue;

            value = parameter.Value;
            return true;
        }

        value = default;
        return false;
    }

    public Enumerator GetEnumerator() => new(_text);

    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _text;
        private int _position;

        internal Enumerator(ReadOnlySpan<byte> text) => _text = text;

        public SipParameter Current { get; private set; }

        public bool MoveNext()
        {
            while (_position < _text.Length)
            {
                var start = _position;
                var body = _text[(start + 1)..];
                var end = SipText.IndexOutside(body, (byte)';');
                if (end < 0) end = body.Length;
                _position = start + 1 + end;

                Current = new(_text, start, start + 1 + end);
                if (!Current.Name.IsEmpty) return true;
            }

            return false;
        }
    }
}

/// <summary>One parameter with its place in the text that it was read from.</summary>
public readonly ref struct SipParameter
{
    internal SipParameter(ReadOnlySpan<byte> text, int start, int end)
    {
        var body = text[(start + 1)..end];
        var equals = body.IndexOf((byte)'=');
        var name = SipText.TrimEnd(equals < 0 ? body : body[..equals]);
        (Start, NameEnd, End) = (start, start + 1 + name.Length, end);
        Name = SipText.TrimStart(name);
        Value = equals < 0 ? default : SipText.Trim(body[(equals + 1)..]);
    }

    public ReadOnlySpan<byte> Name { get; }

    public ReadOnlySpan<byte> Value { get; }

    // Where its semicolon is, where its name ends, and where the next semicolon or the end is.
    internal int Start { get; }

    internal int NameEnd { get; }

    internal int End { get; }
}
