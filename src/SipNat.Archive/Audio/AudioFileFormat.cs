using SipNat.Media.Codecs;
using SipNat.Media.RtpDump;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>How a file of <see cref="AudioFileWriter"/> is laid out. The set is closed: switch over it.</summary>
public abstract record AudioFileFormat
{
    private AudioFileFormat()
    {
    }

    /// <summary>Bytes before the audio or the first packet.</summary>
    internal abstract int HeaderLength { get; }

    /// <summary>Samples in a WAVE file: each buffer at its offset, silence where one is missing, a header that states the length.</summary>
    public sealed record Wave(AudioCodec Codec) : AudioFileFormat
    {
        internal override int HeaderLength => WavHeader.Length;
    }

    /// <summary>Packets in an rtpdump file: buffers of whole records one after the other, and nothing where one is missing.</summary>
    public sealed record Packets : AudioFileFormat
    {
        public Packets(in RtpDumpHeader header) => Header = header.ToArray();

        internal byte[] Header { get; }

        internal override int HeaderLength => Header.Length;
    }
}
