namespace SipNat.Media.Tones;

/// <summary>The sixteen keys of ITU-T Q.23: a row and a column of tones, and a number as an event (RFC 4733 §3.2).</summary>
public static class DtmfKey
{
    /// <summary>The keys in the order of their event codes.</summary>
    public const string Keys = "0123456789*#ABCD";

    // The same keys as they stand on a pad.
    private const string Pad = "123A456B789C*0#D";

    /// <summary>In Hz.</summary>
    public static IReadOnlyList<double> Rows { get; } = [697, 770, 852, 941];

    /// <summary>In Hz.</summary>
    public static IReadOnlyList<double> Columns { get; } = [1209, 1336, 1477, 1633];

    /// <summary>The event code of a key; letters in any case. False for what is no key.</summary>
    public static bool TryGetCode(char key, out byte code)
    {
        var index = Keys.IndexOf(char.ToUpperInvariant(key), StringComparison.Ordinal);
        code = (byte)Math.Max(index, 0);
        return index >= 0;
    }

    /// <summary>The tones of a key.</summary>
    public static (double Row, double Column) TonesOf(char key)
    {
        var place = Pad.IndexOf(char.ToUpperInvariant(key), StringComparison.Ordinal);
        return place >= 0 ? (Rows[place / 4], Columns[place % 4]) : throw new ArgumentOutOfRangeException(nameof(key), key, "Not a key.");
    }

    internal static char At(int row, int column) => Pad[(4 * row) + column];
}
