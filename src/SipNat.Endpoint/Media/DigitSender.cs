using System.Buffers.Binary;
using SipNat.Media.Tones;

namespace SipNat.Endpoint.Media;

/// <summary>Sends digits one after the other, as events (RFC 4733 §2.5) or as tones.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     event     |E|R| volume    |          duration             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
internal sealed class DigitSender
{
    /// <summary>Digits that wait; more are left out.</summary>
    public const int MaxWaiting = 128;

    /// <summary>Bytes of an event.</summary>
    public const int EventLength = 4;

    /// <summary>In dBm0, of the row; the column is 2 dB stronger, as lines weaken high tones more.</summary>
    private const double RowLevel = -9;
    private const double ColumnLevel = -7;
    private const byte EventVolume = 10;
    private const byte EndBit = 0x80;
    private const char Comma = ',';

    // RFC 4733 §2.5.1.4: the end is told three times.
    private const int Ends = 3;

    private static readonly TimeSpan PressTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EventGap = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ToneGap = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CommaTime = TimeSpan.FromMilliseconds(500);

    private readonly Queue<(char Key, DigitTransport By)> _waiting = new();
    private (char Key, DigitTransport By)? _pressed;
    private ToneGenerator? _row;
    private ToneGenerator? _column;
    private TimeSpan _elapsed;
    private TimeSpan _gap;
    private int _ends;
    private short[] _mixed = [];

    /// <summary>Adds digits; a comma is a pause of half a second, and what is neither is left out.</summary>
    public void Add(string digits, DigitTransport by)
    {
        foreach (var key in digits)
        {
            if (_waiting.Count < MaxWaiting && (key == Comma || DtmfKey.TryGetCode(key, out _))) _waiting.Enqueue((key, by));
        }
    }

    /// <summary>Events are agreed on no longer: those that wait, and the one that lasts, are not sent.</summary>
    public void LeaveOutEvents()
    {
        for (var i = _waiting.Count; i > 0; i--)
        {
            if (_waiting.Dequeue() is { By: DigitTransport.InBand } tone) _waiting.Enqueue(tone);
        }

        if (_pressed is { By: DigitTransport.Events }) Release(EventGap);
    }

    /// <summary>Lets a tick pass, and puts a tone into it where one sounds.</summary>
    public void Fill(Span<short> block, int sampleRate, TimeSpan tick)
    {
        if (_pressed is null) Begin(sampleRate, tick);
        if (_pressed is not { By: DigitTransport.InBand }) return;

        Sound(block);
        _elapsed += tick;
        if (_elapsed >= PressTime) Release(ToneGap);
    }

    /// <summary>Makes the event that takes the place of a packet of audio; false where none does.</summary>
    /// <param name="packetTime">How long the packet lasts.</param>
    /// <param name="clockRate">Of the events.</param>
    /// <param name="payload">Room for <see cref="EventLength"/>.</param>
    /// <param name="isFirst">The event begins with this packet.</param>
    public bool TryMakeEvent(TimeSpan packetTime, int clockRate, Span<byte> payload, out bool isFirst)
    {
        isFirst = false;
        if (_pressed is not { By: DigitTransport.Events } pressed) return false;

        isFirst = _elapsed == TimeSpan.Zero;
        if (_elapsed < PressTime) _elapsed += packetTime;
        else _ends++;

        var hasEnded = _elapsed >= PressTime;
        DtmfKey.TryGetCode(pressed.Key, out payload[0]);
        payload[1] = (byte)(EventVolume | (hasEnded ? EndBit : 0));
        BinaryPrimitives.WriteUInt16BigEndian(payload[2..], (ushort)Math.Min(_elapsed.Ticks * clockRate / TimeSpan.TicksPerSecond, ushort.MaxValue));
        if (hasEnded && _ends == Ends - 1) Release(EventGap);
        return true;
    }

    private void Begin(int sampleRate, TimeSpan tick)
    {
        if (_gap > TimeSpan.Zero)
        {
            _gap -= tick;
            return;
        }

        if (!_waiting.TryDequeue(out var next)) return;
        if (next.Key == Comma)
        {
            _gap = CommaTime - tick;
            return;
        }

        (_pressed, _elapsed, _ends) = (next, TimeSpan.Zero, 0);
        if (next.By is not DigitTransport.InBand) return;

        var (row, column) = DtmfKey.TonesOf(next.Key);
        (_row, _column) = (new(sampleRate, [row], RowLevel), new(sampleRate, [column], ColumnLevel));
    }

    private void Sound(Span<short> block)
    {
        if (_mixed.Length < block.Length) _mixed = new short[block.Length];
        var column = _mixed.AsSpan(0, block.Length);
        _row!.Fill(block);
        _column!.Fill(column);
        for (var i = 0; i < block.Length; i++) block[i] += column[i];
    }

    private void Release(TimeSpan gap) => (_pressed, _gap) = (null, gap);
}
