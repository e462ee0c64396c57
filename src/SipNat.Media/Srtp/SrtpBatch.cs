namespace SipNat.Media.Srtp;

/// <summary>
/// Datagrams that a receiver has looked ahead at. It knows them by where they lie in memory, so that what was computed of
/// one is never taken for another.
/// </summary>
public readonly ref struct SrtpBatch
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<Range> _datagrams;
    private readonly SrtpReceiver _receiver;
    private readonly int _turn;

    internal SrtpBatch(SrtpReceiver receiver, int turn, ReadOnlySpan<byte> bytes, ReadOnlySpan<Range> datagrams)
    {
        (_receiver, _turn) = (receiver, turn);
        _bytes = bytes;
        _datagrams = datagrams;
    }

    /// <summary>The place, where that datagram stands there and the receiver looked ahead at nothing since; else below 0.</summary>
    internal int PlaceOf(ReadOnlySpan<byte> datagram, int place, SrtpReceiver receiver, int turn) =>
        receiver == _receiver && turn == _turn && (uint)place < (uint)_datagrams.Length && _bytes[_datagrams[place]] == datagram ? place : -1;
}
