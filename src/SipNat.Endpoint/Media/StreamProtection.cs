using SipNat.Media.Rtp;
using SipNat.Media.Srtp;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// SRTP of one stream, both ways. What comes in is checked before anything else is made of it, so that only the peer can
/// move the stream; what goes out is protected last.
/// </summary>
internal sealed class StreamProtection : IDisposable
{
    // A packet that fits into an Ethernet frame; longer ones take more room.
    private const int UsualPacket = 1500;

    private readonly Outbox _unsealed = new();
    private SrtpReceiver? _receiver;
    private SrtpContext? _sender;
    private byte[] _plain = [];
    private byte[] _sealed = [];
    private string? _suite;
    private bool _isClosed;

    /// <summary>Where the last packet came from that was not genuine.</summary>
    public TransportAddress FailedFrom { get; private set; }

    /// <summary>Null where the stream never was encrypted.</summary>
    public SrtpReport? Report => _receiver is not { } received || _suite is null ? null : new(
        _suite,
        received.CountOf(SrtpDefect.None),
        received.CountOf(SrtpDefect.AuthenticationFailed),
        received.CountOf(SrtpDefect.Replayed),
        received.CountOf(SrtpDefect.TooShort) + received.CountOf(SrtpDefect.UnknownMki) + received.CountOf(SrtpDefect.NotEncrypted) + received.CountOf(SrtpDefect.TooManySources));

    /// <summary>Takes the keys that were agreed on; null where packets are not protected. A key that stays keeps its counters.</summary>
    public void Agree(Instant now, StreamKeys? keys)
    {
        if (keys is null && _receiver is null) return;

        _receiver ??= new();
        _receiver.Agree(now, keys?.Received ?? []);
        _suite = keys?.Sent.Profile.Name ?? _suite;
        if (_sender is not null && _sender.IsOf(keys?.Sent)) return;

        _sender?.Dispose();
        _sender = keys is null ? null : new(keys.Sent);
    }

    /// <summary>Takes datagrams of which each that is RTP is about to be opened, one after the other: that is faster then.</summary>
    /// <param name="bytes">Those of all datagrams of the visit.</param>
    /// <param name="datagrams">At most <see cref="SrtpContext.MaxAhead"/>.</param>
    public SrtpBatch LookAhead(ReadOnlySpan<byte> bytes, ReadOnlySpan<Range> datagrams) =>
        _isClosed || _receiver is not { } receiver ? default : receiver.LookAhead(bytes, datagrams);

    /// <summary>The packet as the peer made it. False where it is to be dropped, which is counted.</summary>
    /// <param name="kind">RTP or RTCP.</param>
    /// <param name="batch">The last that was looked ahead at; none where there was none.</param>
    /// <param name="place">Where the datagram stands in it.</param>
    /// <param name="plain">Good until the next call.</param>
    public bool TryOpen(Instant now, TransportAddress from, MediaPacketKind kind, ReadOnlySpan<byte> datagram, SrtpBatch batch, int place, out ReadOnlySpan<byte> plain)
    {
        plain = datagram;
        if (_isClosed) return false;
        if (_receiver is not { HasKeys: true } receiver) return true;

        MakeRoom(ref _plain, datagram.Length);
        var defect = receiver.Unprotect(now, datagram, kind is MediaPacketKind.Rtcp, _plain, out var length, batch, place);
        if (defect is SrtpDefect.None) plain = _plain.AsSpan(0, length);
        // Encryption was given up a moment ago: what does not fit the former key is not encrypted any more.
        else if (!receiver.IsRequired) return true;

        receiver.Count(defect);
        if (defect is not (SrtpDefect.None or SrtpDefect.Replayed)) FailedFrom = from;
        return defect is SrtpDefect.None;
    }

    /// <summary>Where a packet for <paramref name="target"/> is to be put; <see cref="Seal"/> has to follow.</summary>
    public Outbox Open(Outbox target) => _sender is null ? target : _unsealed;

    /// <summary>Protects what was put there, and puts it into <paramref name="target"/>.</summary>
    public void Seal(Outbox target)
    {
        while (_unsealed.TryTake(out var packet))
        {
            var isControl = MediaDemultiplexer.Classify(packet.Payload) is MediaPacketKind.Rtcp;
            var length = packet.Payload.Length + (isControl ? _sender!.ControlOverhead : _sender!.Overhead);
            MakeRoom(ref _sealed, length);
            var buffer = _sealed.AsSpan(0, length);
            packet.Payload.CopyTo(buffer);
            if (isControl ? _sender.TryProtectControl(buffer) : _sender.TryProtect(buffer)) target.Add(packet.Flow, packet.Destination, buffer);
            _unsealed.Release(packet);
        }
    }

    /// <summary>Forgets every key; nothing is opened or sealed any more.</summary>
    public void Dispose()
    {
        _isClosed = true;
        _receiver?.Dispose();
        _sender?.Dispose();
    }

    private static void MakeRoom(ref byte[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new byte[Math.Max(length, UsualPacket)];
    }
}
