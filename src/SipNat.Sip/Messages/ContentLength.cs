namespace SipNat.Sip.Messages;

/// <summary>Content-Length = 1*DIGIT (RFC 3261 §20.14).</summary>
internal static class ContentLength
{
    /// <summary>Reads a length; one that no int holds becomes <see cref="int.MaxValue"/>, which every limit refuses.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out int length)
    {
        length = 0;
        if (value.IsEmpty || value.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;

        var sum = 0L;
        foreach (var digit in value) sum = Math.Min((sum * 10) + (digit - '0'), int.MaxValue);

        length = (int)sum;
        return true;
    }
}
