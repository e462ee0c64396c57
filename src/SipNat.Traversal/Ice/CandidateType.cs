using System.Diagnostics;

namespace SipNat.Traversal.Ice;

/// <summary>How a candidate's address came to be known (RFC 8445 §4).</summary>
public enum CandidateType
{
    /// <summary>An address of this machine.</summary>
    Host,

    /// <summary>What a STUN server sees.</summary>
    ServerReflexive,

    /// <summary>What the peer sees, learned from a check.</summary>
    PeerReflexive,

    /// <summary>An address that a TURN server lends.</summary>
    Relayed,
}

public static class CandidateTypes
{
    extension(CandidateType type)
    {
        /// <summary>0–126; the values that RFC 8445 §5.1.2.2 recommends.</summary>
        public int Preference => type switch
        {
            CandidateType.Host => 126,
            CandidateType.PeerReflexive => 110,
            CandidateType.ServerReflexive => 100,
            CandidateType.Relayed => 0,
            _ => throw new UnreachableException(),
        };

        /// <summary>The token of the candidate line (RFC 8839 §5.1).</summary>
        public string Token => type switch
        {
            CandidateType.Host => "host",
            CandidateType.ServerReflexive => "srflx",
            CandidateType.PeerReflexive => "prflx",
            CandidateType.Relayed => "relay",
            _ => throw new UnreachableException(),
        };
    }

    internal static bool TryRead(ReadOnlySpan<char> token, out CandidateType type)
    {
        foreach (var known in Enum.GetValues<CandidateType>())
        {
            if (!token.Equals(known.Token, StringComparison.OrdinalIgnoreCase)) continue;

            type = known;
            return true;
        }

        type = default;
        return false;
    }
}
