namespace SipNat.Wire;

/// <summary>
/// One datagram, or one message of a stream flow, on its way out. Its bytes are rented: whoever took it from the
/// <see cref="Outbox"/> gives it back with <see cref="Outbox.Release"/>, exactly once.
/// </summary>
public readonly struct Transmit
{
    internal Transmit(FlowId flow, TransportAddress destination, byte[] buffer, int length) =>
        (Flow, Destination, Buffer, Length) = (flow, destination, buffer, length);

    public FlowId Flow { get; }

    /// <summary>The peer; on a connection it is informative only.</summary>
    public TransportAddress Destination { get; }

    public ReadOnlySpan<byte> Payload => Buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => Buffer.AsMemory(0, Length);

    internal byte[] Buffer { get; }

    internal int Length { get; }
}
