using System.Diagnostics;

namespace SipNat.Bench.Audio;

/// <summary>The two companding laws of ITU-T G.711, with their static RTP payload types (RFC 3551 §6).</summary>
public enum G711Variant
{
    Pcmu = 0,
    Pcma = 8,
}

public static class G711Variants
{
    extension(G711Variant variant)
    {
        public int PayloadType => (int)variant;

        /// <summary>The encoding name of <c>a=rtpmap</c>.</summary>
        public string EncodingName => variant switch
        {
            G711Variant.Pcmu => "PCMU",
            G711Variant.Pcma => "PCMA",
            _ => throw new UnreachableException(),
        };

        /// <summary>The byte that stands for no sound.</summary>
        public byte Silence => variant switch
        {
            G711Variant.Pcmu => 0xFF,
            G711Variant.Pcma => 0xD5,
            _ => throw new UnreachableException(),
        };

        /// <summary>The usual extension of a file of bare samples, as sox understands it.</summary>
        public string FileExtension => variant switch
        {
            G711Variant.Pcmu => ".ulaw",
            G711Variant.Pcma => ".alaw",
            _ => throw new UnreachableException(),
        };
    }
}
