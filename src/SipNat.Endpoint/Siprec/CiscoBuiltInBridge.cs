using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Who is heard in a session of Cisco's built-in bridge, which sends no metadata: each of its two sessions carries one
/// end of the call, and the From URI names both ends.
/// </summary>
internal static class CiscoBuiltInBridge
{
    /// <summary>The participant of the one stream; null where the INVITE is of another kind.</summary>
    public static CiscoRecordingParticipant? ParticipantOf(StoredSipMessage invite)
    {
        if (invite.Uri(SipHeader.From) is not { } from) return null;

        var end = from.TryGetParameter("x-nearend", out _) ? "x-nearendaddr" : from.TryGetParameter("x-farend", out _) ? "x-farendaddr" : null;
        return end is not null && from.TryGetParameter(end, out var address) && address.Length is > 0 and <= CiscoRecordingParticipant.MaxLength
            ? new($"sip:{address}@{from.Host}", null, [0])
            : null;
    }
}
