using SipNat.Traversal.Stun;

namespace SipNat.Traversal.Ice;

/// <summary>How an <see cref="IceAgent"/> behaves.</summary>
public sealed record IceOptions
{
    /// <summary>Components of a stream: RTP and RTCP.</summary>
    public const int MaxComponents = 2;

    /// <summary>2 where RTCP has a port of its own, 1 with rtcp-mux.</summary>
    public int Components { get; init; } = 1;

    /// <summary>Whether the agent answers checks and sends none (RFC 8445 §2.5); it is then always controlled.</summary>
    public bool IsLite { get; init; }

    /// <summary>Whether only relayed candidates are told and used, so that the peer learns no address of this network.</summary>
    public bool IsRelayOnly { get; init; }

    /// <summary>
    /// Whether private addresses that the peer names are checked. False where signalling came from outside the local
    /// networks: nobody out there has business in them.
    /// </summary>
    public bool ChecksPrivateAddresses { get; init; } = true;

    /// <summary>Ta: the time between two new checks (RFC 8445 §14.2), at least 5 ms.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// New checks in one second towards an address that the peer named and that has answered none: the peer may have
    /// named a stranger's (RFC 8445 §19.5.1).
    /// </summary>
    public int ChecksPerUnprovenAddress { get; init; } = 10;

    /// <summary>
    /// The repetitions of a check; its initial RTO grows with the number of checks under way (RFC 8445 §14.3). It doubles
    /// up to 4 s, as long gaps lose connections where much is lost; it ends when that of RFC 8489 §6.2.1 does.
    /// </summary>
    public StunSchedule Check { get; init; } = new() { MaxSends = 12, MaxRto = TimeSpan.FromSeconds(4), FinalWaitFactor = 8 };

    /// <summary>
    /// The repetitions of a check that nominates, of one on a pair that the peer was heard on, and of direct ones while a
    /// relay alone carries media: twice a second (RFC 8445 §14.3 allows no less than 500 ms), as the peer is there, and all
    /// that is missing is an answer that was not lost.
    /// </summary>
    public StunSchedule Answered { get; init; } = new() { MaxSends = 48, MaxRto = TimeSpan.FromMilliseconds(500), FinalWaitFactor = 4 };

    /// <summary>
    /// How long a better pair may hold up the nomination of a valid one that is direct, at least: two round trips where
    /// these are longer. Through NATs there is always one that never answers: that of the private addresses.
    /// </summary>
    public TimeSpan NominationPatience { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// The same for a valid pair that is relayed, as media flow meanwhile; twice that while the peer is heard on a direct one.
    /// </summary>
    public TimeSpan RelayNominationPatience { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// After so long without a path for each component the agent has failed, and no sooner, whatever its own checks say:
    /// the peer's may still open one (RFC 8863 §4). It waits on, at most as long again, while the peer's checks come.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(39.5);

    /// <summary>The mean time between two consent checks; each interval is drawn from 80–120 % of it (RFC 7675 §5.1).</summary>
    public TimeSpan ConsentInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After so long without an answer consent is lost (RFC 7675 §5.1).</summary>
    public TimeSpan ConsentTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time between two consent checks while media that flowed are silent.</summary>
    public TimeSpan DoubtInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>After so long without an answer in such doubt consent is lost.</summary>
    public TimeSpan DoubtTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Tr: the time between two indications of a lite agent, which sends no checks (RFC 8445 §11), at least 15 s.</summary>
    public TimeSpan KeepaliveInterval { get; init; } = TimeSpan.FromSeconds(15);
}
