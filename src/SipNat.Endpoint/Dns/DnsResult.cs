using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>What became of a question.</summary>
/// <param name="Query">The number that <see cref="DnsResolver.Resolve"/> gave.</param>
/// <param name="Records">Records of the type that was asked for; empty unless <see cref="DnsOutcome.Answered"/>.</param>
/// <param name="ExpiresAt">Until when the outcome holds; the moment itself where it is not to be kept.</param>
public sealed record DnsResult(int Query, DnsQuestion Question, DnsOutcome Outcome, IReadOnlyList<DnsRecord> Records, Instant ExpiresAt);

public enum DnsOutcome
{
    Answered,
    NoSuchName,

    /// <summary>The name is there, and has no record of the type.</summary>
    NoData,

    /// <summary>Every server was in trouble, refused, or could not be reached.</summary>
    Failed,

    /// <summary>No server answered in time.</summary>
    TimedOut,

    /// <summary>The text is no name.</summary>
    BadName,

    /// <summary>Too many questions at once, or no server is known.</summary>
    Refused,
}
