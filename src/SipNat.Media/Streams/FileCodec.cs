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

    public bool IsPackets => Known is null;

    /// <summary>RTP packets as they came, in the rtpdump format.</summary>
    public static FileCodec Packets(string encodingName) => new(null, encodingName);

    /// <summary>RTP packets of whatever came.</summary>
    public static FileCodec Various => Packets("various");

    public static implicit operator FileCodec(AudioCodec codec) => new(codec, codec.EncodingName);

    public override string ToString() => IsPackets ? $"{EncodingName} in packets" : EncodingName;
}
