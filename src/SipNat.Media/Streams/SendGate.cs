using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Keeps a host that never sent media from being flooded: until a packet came from it, it gets at most one small packet
/// each second, over all streams of a session.
/// </summary>
public sealed class SendGate
{
    /// <summary>Largest payload to an address that has not proven itself, in bytes.</summary>
    public const int MaxUnprovenLength = 60;

    public static readonly TimeSpan UnprovenInterval = TimeSpan.FromSeconds(1);

    /// <summary>Media came from this host: it is spared no longer.</summary>
    public void Prove(TransportAddress host) => throw new NotSupportedException();

    public bool IsProven(TransportAddress host) => throw new NotSupportedException();

    /// <summary>Whether a payload may leave at once; a yes is counted as sent.</summary>
    public bool TryPass(Instant now, TransportAddress destination, int length) => throw new NotSupportedException();

    /// <summary>When a packet to that host may leave.</summary>
    public Instant NextPass(Instant now, TransportAddress destination) => throw new NotSupportedException();
}
