using System.Buffers.Text;
using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>Why a request was sent, or a session ended (RFC 3326): <c>Q.850;cause=16;text="Terminated"</c>.</summary>
/// <param name="Protocol"><c>SIP</c>, <c>Q.850</c>, …</param>
/// <param name="Cause">A status code, or a cause of the protocol; null where there is none.</param>
/// <param name="Text">For people; empty where there is none.</param>
public sealed record Reason(string Protocol, int? Cause, string Text)
{
    /// <summary>Reasons of one message that are read; RFC 3326 has one for each protocol.</summary>
    public const int MaxReasons = 8;

    /// <summary>The value of a header of ours.</summary>
    public string Value => $"{Protocol}{(Cause is { } cause ? $";cause={cause}" : "")}{(Text.Length > 0 ? $";text={SipText.Quote(Text)}" : "")}";

    /// <summary>Every reason of a message that can be read.</summary>
    public static IReadOnlyList<Reason> ReadAll(SipMessage message)
    {
        var reasons = new List<Reason>();
        foreach (var value in message.Values(SipHeader.Reason))
        {
            if (reasons.Count < MaxReasons && TryRead(value, out var reason)) reasons.Add(reason);
        }

        return reasons;
    }

    /// <summary>Reads one value.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out Reason reason)
    {
        reason = null!;
        var parameters = SipParameters.After(value);
        var protocol = SipText.Trim(value[..^parameters.Text.Length]);
        if (!SipText.IsToken(protocol)) return false;

        int? cause = parameters.TryGet("cause"u8, out var number) && Utf8Parser.TryParse(number, out int parsed, out var digits) && digits == number.Length ? parsed : null;
        var text = parameters.TryGet("text"u8, out var quoted) ? SipText.Unquote(quoted) : "";
        reason = new(Encoding.ASCII.GetString(protocol), cause, text);
        return true;
    }
}
