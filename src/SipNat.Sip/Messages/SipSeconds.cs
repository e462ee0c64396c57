namespace SipNat.Sip.Messages;

/// <summary>delta-seconds of RFC 3261 §25.1: the values of Expires, Min-Expires, Flow-Timer and of <c>expires</c> parameters.</summary>
public static class SipSeconds
{
    /// <summary>2^32 − 1 s (RFC 3261 §20.19); more is taken for it.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(uint.MaxValue);

    /// <summary>Reads the digits that a value begins with, up to its end, white space, parameters or a comment; false where there are none.</summary>
    /// <param name="rest">What follows the digits.</param>
    public static bool TryRead(ReadOnlySpan<byte> value, out TimeSpan seconds, out ReadOnlySpan<byte> rest)
    {
        value = SipText.TrimStart(value);
        var digits = value.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits < 0) digits = value.Length;
        rest = value[digits..];
        seconds = default;
        if (digits == 0 || (rest is [var next, ..] && next is not ((byte)';' or (byte)'(') && !SipText.IsWhiteSpace(next))) return false;

        ulong number = 0;
        foreach (var digit in value[..digits]) number = Math.Min((number * 10) + (ulong)(digit - '0'), uint.MaxValue);

        seconds = TimeSpan.FromSeconds((long)number);
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> value, out TimeSpan seconds) => TryRead(value, out seconds, out _);
}
