using SipNat.Media.Codecs;

namespace SipNat.Media.Streams;

/// <summary>What each RTP payload type of a stream carries, as negotiated by SDP.</summary>
/// <remarks>
/// Static payload types of RFC 3551 keep their meaning when they were not negotiated, because some recorders are sent
/// them all the same; <see cref="IsNegotiated"/> tells the two apart.
/// </remarks>
public sealed class PayloadMap
{
    internal const int PayloadTypes = 128;

    private const int StaticComfortNoise = 13;
    private const int OldComfortNoise = 19;

    private const int UsualEntries = 6;

    // Of 128 payload types a stream has a handful. The first entry stands for all the others.
    private readonly byte[] _places = new byte[PayloadTypes];
    private Entry[] _entries = new Entry[UsualEntries];
    private byte _last;

    public PayloadMap()
    {
        foreach (var codec in (ReadOnlySpan<AudioCodec>)[AudioCodec.Pcmu, AudioCodec.Pcma])
            Set(codec.StaticPayloadType, new(PayloadFormat.Audio(codec), IsNegotiated: false));
        foreach (var payloadType in (ReadOnlySpan<int>)[StaticComfortNoise, OldComfortNoise])
            Set(payloadType, new(PayloadFormat.ComfortNoise, IsNegotiated: false));
    }

    /// <summary>The format of a payload type, 0–127; <see cref="PayloadKind.Unknown"/> for one that says nothing.</summary>
    public PayloadFormat this[int payloadType] => _entries[_places[payloadType]].Format;

    public bool IsNegotiated(int payloadType) => _entries[_places[payloadType]].IsNegotiated;

    /// <summary>Takes a payload type, 0–127, from the answer.</summary>
    public void Negotiate(int payloadType, PayloadFormat format) => Set(payloadType, new(format, IsNegotiated: true));

    private void Set(int payloadType, in Entry entry)
    {
        ref var place = ref _places[payloadType];
        if (place == 0)
        {
            place = ++_last;
            if (place == _entries.Length) Array.Resize(ref _entries, place * 2);
        }

        _entries[place] = entry;
    }

    private readonly record struct Entry(PayloadFormat Format, bool IsNegotiated);
}

/// <summary>What one payload type carries.</summary>
/// <param name="Codec">Meaningful for <see cref="PayloadKind.Audio"/> only.</param>
public readonly record struct PayloadFormat(PayloadKind Kind, AudioCodec Codec)
{
    private const int UsualClockRate = 8000;

    private readonly int _clockRate;
    private readonly int _furtherChannels;

    /// <summary>RTP timestamp units per second; 8000 unless said otherwise (RFC 3551 §4.5).</summary>
    public int ClockRate
    {
        get => _clockRate == 0 ? UsualClockRate : _clockRate;
        init => _clockRate = value;
    }

    /// <summary>1 unless the rtpmap says otherwise (RFC 8866 §6.6).</summary>
    public int Channels
    {
        get => _furtherChannels + 1;
        init => _furtherChannels = value - 1;
    }

    /// <summary>The encoding name of SDP's rtpmap; null but for <see cref="PayloadKind.Packets"/>.</summary>
    public string? EncodingName { get; init; }

    /// <summary>RFC 3389: the parameters of a background noise; a file gets silence for it.</summary>
    public static PayloadFormat ComfortNoise => new(PayloadKind.ComfortNoise, default);

    /// <summary>RFC 4733: keys as events.</summary>
    public static PayloadFormat TelephoneEvent => new(PayloadKind.TelephoneEvent, default);

    public static PayloadFormat Audio(AudioCodec codec) => new(PayloadKind.Audio, codec);

    /// <summary>Audio that is not decoded: its packets are kept.</summary>
    public static PayloadFormat Packets(string encodingName, int clockRate, int channels = 1) =>
        new(PayloadKind.Packets, default) { EncodingName = encodingName, ClockRate = clockRate, Channels = channels };
}

public enum PayloadKind
{
    Unknown,
    Audio,
    ComfortNoise,
    TelephoneEvent,
    Packets,
}
