using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Media.Playout;

/// <summary>The decoders of a stream, one for each format that came, all to one sample rate.</summary>
internal sealed class PlayoutDecoders(CodecRegistry codecs, int sampleRate) : IDisposable
{
    /// <summary>Formats of one stream that are remembered; those of yet another are not decoded.</summary>
    public const int MaxFormats = 16;

    // A packet of 120 ms at 48 kHz (Opus, RFC 6716 §3.2.5), twice for the two channels of L16.
    private const int MaxSamples = 2 * 5760;

    private readonly List<Entry> _entries = [];
    private short[] _scratch = [];

    /// <summary>How many samples a packet gives at the rate of the stream; 0 for one that is not decoded.</summary>
    public int SamplesOf(PayloadFormat format, ReadOnlySpan<byte> payload)
    {
        if (Find(format) is not { Decoder: { } decoder }) return 0;

        var samples = decoder.SamplesOf(payload);
        return samples > MaxSamples / 2 ? 0 : (int)((long)samples * sampleRate / decoder.SampleRate);
    }

    /// <summary>Timestamp units per second of a format.</summary>
    public int ClockRateOf(PayloadFormat format) => Find(format)?.Decoder?.ClockRate ?? format.ClockRate;

    /// <summary>Decodes a packet that <see cref="SamplesOf"/> gave a length.</summary>
    /// <returns>Good until the next call.</returns>
    public Span<short> Decode(PayloadFormat format, ReadOnlySpan<byte> payload)
    {
        if (Find(format) is not { Decoder: { } decoder } entry) return [];

        if (_scratch.Length == 0) _scratch = new short[MaxSamples];
        var samples = _scratch.AsSpan(0, decoder.Decode(payload, _scratch));
        return entry.Resampler is { } resampler ? entry.Resample(resampler, samples) : samples;
    }

    /// <summary>Has the codec make up what is missing; 0 where it cannot.</summary>
    /// <param name="next">The packet that follows, where it has come.</param>
    public int Conceal(PayloadFormat format, ReadOnlySpan<byte> next, Span<short> samples) =>
        Find(format) is { Decoder: { } decoder, Resampler: null } ? decoder.Conceal(next, samples) : 0;

    /// <summary>Whether the codec knows the noise of a pause that lasts.</summary>
    public bool FillsPauses(PayloadFormat format) => format.Kind is not PayloadKind.Unknown && Find(format) is { Decoder.FillsPauses: true };

    /// <summary>Fills a pause with the noise that the codec knows of; 0 where it knows of none.</summary>
    public int FillPause(PayloadFormat format, Span<short> samples) =>
        format.Kind is not PayloadKind.Unknown && Find(format) is { Decoder: { FillsPauses: true } decoder, Resampler: null } ? decoder.Conceal([], samples) : 0;

    public void Dispose()
    {
        foreach (var entry in _entries) entry.Decoder?.Dispose();
        _entries.Clear();
    }

    private Entry? Find(PayloadFormat format)
    {
        foreach (var entry in _entries)
        {
            if (entry.Format == format) return entry;
        }

        if (_entries.Count == MaxFormats) return null;

        var added = new Entry(format, Create(format), sampleRate);
        _entries.Add(added);
        return added;
    }

    private IAudioDecoder? Create(PayloadFormat format) => format.Kind switch
    {
        PayloadKind.Audio => codecs.TryCreateDecoder(format.Codec.EncodingName, format.Codec.ClockRate, 1),
        PayloadKind.Packets => codecs.TryCreateDecoder(format.EncodingName!, format.ClockRate, format.Channels),
        _ => null,
    };

    private sealed class Entry(PayloadFormat format, IAudioDecoder? decoder, int sampleRate)
    {
        private short[] _resampled = [];

        public PayloadFormat Format => format;

        public IAudioDecoder? Decoder => decoder;

        public Resampler? Resampler { get; } = decoder is null || decoder.SampleRate == sampleRate ? null : new(decoder.SampleRate, sampleRate);

        public Span<short> Resample(Resampler resampler, ReadOnlySpan<short> samples)
        {
            if (_resampled.Length < resampler.MaxOutput(samples.Length)) _resampled = new short[resampler.MaxOutput(samples.Length)];
            return _resampled.AsSpan(0, resampler.Process(samples, _resampled));
        }
    }
}
