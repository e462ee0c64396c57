using SipNat.Media.Codecs;

namespace SipNat.Media.Wav;

/// <summary>The fields of a WAVE "fmt " chunk that this project reads and writes.</summary>
/// <param name="Channels">1 to 65535, interleaved sample by sample.</param>
/// <param name="SampleRate">Samples of one channel per second.</param>
/// <param name="BitsPerSample">8 for the G.711 laws, 16 for PCM.</param>
public readonly record struct WavFormat(WavFormatTag Tag, int Channels, int SampleRate, int BitsPerSample)
{
    /// <summary>Bytes of one sample of every channel.</summary>
    public int BlockAlign => Channels * BitsPerSample / 8;

    public long BytesPerSecond => (long)SampleRate * BlockAlign;

    /// <summary>The codec whose payload the data chunk holds; null for PCM and for anything but 8 bits of one channel.</summary>
    public AudioCodec? Codec => this switch
    {
        { Tag: WavFormatTag.MuLaw, Channels: 1, BitsPerSample: 8 } => AudioCodec.Pcmu,
        { Tag: WavFormatTag.ALaw, Channels: 1, BitsPerSample: 8 } => AudioCodec.Pcma,
        _ => null,
    };

    /// <summary>One channel of RTP payload as it came.</summary>
    public static WavFormat Of(AudioCodec codec) =>
        new(codec is AudioCodec.Pcmu ? WavFormatTag.MuLaw : WavFormatTag.ALaw, 1, codec.ClockRate, 8);

    /// <summary>16-bit linear samples, low byte first.</summary>
    public static WavFormat Pcm16(int channels, int sampleRate) => new(WavFormatTag.Pcm, channels, sampleRate, 16);

    /// <summary>How long a data chunk of so many bytes plays.</summary>
    public double SecondsOf(long dataLength) => BytesPerSecond == 0 ? 0 : (double)dataLength / BytesPerSecond;
}

/// <summary>WAVE format tags (RFC 2361); a file with another one is not read, and one of floating point only as a clip.</summary>
public enum WavFormatTag : ushort
{
    Pcm = 1,
    Float = 3,
    ALaw = 6,
    MuLaw = 7,

    /// <summary>The tag is in an extension (WAVE_FORMAT_EXTENSIBLE).</summary>
    Extensible = 0xFFFE,
}
