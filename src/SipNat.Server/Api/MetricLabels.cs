using System.Globalization;

namespace SipNat.Server.Api;

/// <summary>Builds the labels of a series, <c>transport="udp",outcome="sent"</c>, in a buffer of the caller.</summary>
internal ref struct MetricLabels(Span<char> buffer)
{
    /// <summary>Characters of all labels together; a series with more is left out.</summary>
    public const int MaxLength = 512;

    private readonly Span<char> _buffer = buffer;
    private int _length;

    public bool IsTooLong { get; private set; }

    public readonly ReadOnlySpan<char> Text => _buffer[.._length];

    public void Append(string name, object? value)
    {
        if (_length > 0) Put(',');
        foreach (var c in name) Put(Letter(c));
        Put('=');
        Put('"');
        foreach (var c in value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "") PutEscaped(c);
        Put('"');
    }

    /// <summary>A family's name: the instrument's, its unit, and _total for a counter.</summary>
    public static string FamilyName(string instrument, string? unit, MetricType type)
    {
        var name = string.Concat(instrument.Select(Letter));
        var suffix = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            _ => "",
        };
        if (!name.EndsWith(suffix, StringComparison.Ordinal)) name += suffix;
        return type is MetricType.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? $"{name}_total" : name;
    }

    private void PutEscaped(char c)
    {
        if (c is '\\' or '"' or '\n') Put('\\');
        Put(c == '\n' ? 'n' : c);
    }

    private void Put(char c)
    {
        if (_length < _buffer.Length) _buffer[_length++] = c;
        else IsTooLong = true;
    }

    private static char Letter(char c) => char.IsAsciiLetterOrDigit(c) ? c : '_';
}
