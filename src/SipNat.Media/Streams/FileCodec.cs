using SipNat.Media.Codecs;

namespace SipNat.Media.Streams;

/// <summary>What one file of a stream holds: the samples of a codec that is known, or the RTP packets of another one.</summary>
public readonly record struct FileCodec
{
    private FileCodec(AudioCodec? known, string encodingName) => (Known, EncodingName) = (known, encodingName);

    /// <summary>The codec of the samples; null where the file holds packets.</summary>
    public AudioCodec? Known { get; }

    /// <summary>The encoding name of SDP's rtpmap as it was offered.</summary>
    public string EncodingName { get; }

    /// <summary>The rtpmap's clock rate in Hz; 0 where it is not known.</summary>
    public int ClockRate { get; private init; }

    /// <summary>The rtpmap's channels; 0 where they are not known.</summary>
    public int Channels { get; private init; }

    public bool IsPackets => Known is null;

    /// <summary>RTP packets as they came, in the rtpdump format.</summary>
    public static FileCodec Packets(string encodingName) => new(null, encodingName);

    /// <summary>The packets of a format that is kept.</summary>
    internal static FileCodec Packets(in PayloadFormat format) =>
        new(null, format.EncodingName ?? "") { ClockRate = format.ClockRate, Channels = format.Channels };

    /// <summary>RTP packets of whatever came.</summary>
    public static FileCodec Various => Packets("various");

    public static implicit operator FileCodec(AudioCodec codec) => new(codec, codec.EncodingName);

    public override string ToString() => IsPackets ? $"{EncodingName} in packets" : EncodingName;
}
