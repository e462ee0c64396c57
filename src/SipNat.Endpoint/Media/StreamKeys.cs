using SipNat.Media.Srtp;

namespace SipNat.Endpoint.Media;

/// <summary>What protects the packets of one stream (RFC 4568).</summary>
/// <param name="Received">The peer's keys; more than one where its packets name theirs.</param>
/// <param name="Sent">Our own key.</param>
public sealed record StreamKeys(IReadOnlyList<SrtpMasterKey> Received, SrtpMasterKey Sent)
{
    /// <summary>The suite. Keys are in no text that is meant for people.</summary>
    public override string ToString() => Sent.Profile.Name;
}

/// <summary>How a stream that is encrypted is doing.</summary>
/// <param name="Suite">The crypto suite, as the IANA registry has it.</param>
/// <param name="Accepted">RTP and RTCP packets that were genuine.</param>
/// <param name="AuthenticationFailed">Packets of another key, another suite, another roll-over counter, or not of the peer.</param>
/// <param name="Replayed">Packets that had been there, or were too old to know.</param>
/// <param name="Refused">Packets that were too short, named an unknown key, were not encrypted, or of one source too many.</param>
public sealed record SrtpReport(string Suite, long Accepted, long AuthenticationFailed, long Replayed, long Refused);
