using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Makes one event out of the packets that repeat it (RFC 4733 §2.3, §2.5).</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     event     |E|R| volume    |          duration             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
internal sealed class TelephoneEventTracker
{
    /// <summary>Events that wait to be taken; more are counted.</summary>
    public const int MaxPending = 64;

    private const int PayloadLength = 4;

    // Without an end packet for this long, the event has ended.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly Queue<TelephoneEvent> _ended = new();
    private Pressed? _pressed;
    private (uint Ssrc, uint Timestamp)? _lastEnded;

    public long Refused { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> ends an event whose end was lost.</summary>
    public Instant? Deadline => _pressed?.Last + Timeout;

    public void Handle(in ReceivedFrame frame)
    {
        if (frame.Payload.Length < PayloadLength) return;
        if (_lastEnded == (frame.Ssrc, frame.Timestamp)) return;

        var code = frame.Payload[0];
        var duration = BinaryPrimitives.ReadUInt16BigEndian(frame.Payload[2..]);
        if (_pressed is { } other && !other.IsSame(frame, code) && !IsNewer(frame, other)) return;
        if (_pressed is { } pressed && !pressed.IsSame(frame, code)) End(pressed);

        var current = _pressed ?? new Pressed(frame.Ssrc, frame.Timestamp, code, frame.Arrival) { ClockRate = frame.Format.ClockRate };
        current = current with
        {
            Last = frame.Arrival,
            Duration = Math.Max(current.Duration, duration),
            Volume = frame.Payload[1] & 0x3F,
        };
        _pressed = current;
        if ((frame.Payload[1] & 0x80) != 0) End(current);
    }

    public void HandleTimeout(Instant now)
    {
        if (Deadline <= now) End(_pressed!.Value);
    }

    public void Finish()
    {
        if (_pressed is { } pressed) End(pressed);
    }

    public bool TryTake(out TelephoneEvent telephoneEvent) => _ended.TryDequeue(out telephoneEvent);

    private static bool IsNewer(in ReceivedFrame frame, Pressed pressed) =>
        frame.Ssrc != pressed.Ssrc || (int)(frame.Timestamp - pressed.Timestamp) > 0;

    private void End(Pressed pressed)
    {
        _lastEnded = (pressed.Ssrc, pressed.Timestamp);
        _pressed = null;
        if (_ended.Count == MaxPending)
        {
            Refused++;
            return;
        }

        var duration = TimeSpan.FromSeconds((double)pressed.Duration / pressed.ClockRate);
        _ended.Enqueue(new(pressed.First, pressed.Code, duration, pressed.Volume));
    }

    private readonly record struct Pressed(uint Ssrc, uint Timestamp, byte Code, Instant First)
    {
        public Instant Last { get; init; } = First;

        public int Duration { get; init; }

        public int ClockRate { get; init; }

        public int Volume { get; init; }

        public bool IsSame(in ReceivedFrame frame, byte code) => frame.Ssrc == Ssrc && frame.Timestamp == Timestamp && code == Code;
    }
}
