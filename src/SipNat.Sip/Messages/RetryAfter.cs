namespace SipNat.Sip.Messages;

/// <summary>When a request may be tried again (RFC 3261 §20.33): <c>18000 (in a meeting);duration=3600</c>.</summary>
/// <param name="Delay">From the arrival of the response on.</param>
/// <param name="Duration">How long it will then be of use; null where it does not say.</param>
public readonly record struct RetryAfter(TimeSpan Delay, TimeSpan? Duration)
{
    /// <summary>Reads the value of Retry-After; a comment is passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out RetryAfter retryAfter)
    {
        retryAfter = default;
        if (!SipSeconds.TryRead(value, out var delay, out var rest)) return false;

        rest = SipText.TrimStart(rest);
        if (rest is [(byte)'(', ..]) rest = SipText.TrimStart(rest[CommentLength(rest)..]);

        // What stands in place of parameters is none.
        TimeSpan? duration = null;
        if (rest is [(byte)';', ..] && SipParameters.After(rest).TryGet("duration"u8, out var text) && SipSeconds.TryRead(text, out var seconds)) duration = seconds;
        retryAfter = new(delay, duration);
        return true;
    }

    /// <summary>Reads Retry-After of a response; false where it has none that can be read.</summary>
    public static bool TryRead(SipMessage response, out RetryAfter retryAfter)
    {
        retryAfter = default;
        return response.TryGet(SipHeader.RetryAfter, out var value) && TryRead(value, out retryAfter);
    }

    // Comments nest and have escapes (RFC 3261 §25.1); one without an end goes to the end.
    private static int CommentLength(ReadOnlySpan<byte> text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '(') depth++;
            else if (text[i] == ')' && --depth == 0) return i + 1;
        }

        return text.Length;
    }
}
