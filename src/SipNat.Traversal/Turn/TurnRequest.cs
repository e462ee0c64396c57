using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>One request that awaits its final answer, however often it has to be sent anew for a nonce.</summary>
internal sealed class TurnRequest(StunMethod method, TransportAddress peer = default, ushort channel = 0, uint? lifetime = null)
{
    public StunMethod Method => method;

    public TransportAddress Peer => peer;

    /// <summary>The channel to bind; 0 where the request binds none.</summary>
    public ushort Channel => channel;

    /// <summary>LIFETIME in seconds.</summary>
    public uint? Lifetime => lifetime;

    /// <summary>How it is repeated; null for the transport's own schedule.</summary>
    public StunSchedule? Schedule { get; init; }

    /// <summary>Whether it asks if the server is still there.</summary>
    public bool IsProbe => Schedule is not null;

    public bool IsAuthenticated { get; set; }

    /// <summary>New transactions after 401 and 438.</summary>
    public int Retries { get; set; }

    public StunTransaction? Transaction { get; set; }
}
