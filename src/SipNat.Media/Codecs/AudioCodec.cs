namespace SipNat.Media.Codecs;

/// <summary>The codecs whose payload is written to an audio file.</summary>
public enum AudioCodec
{
    /// <summary>G.711 µ-law (RFC 3551 §4.5.14): WAVE format tag 7, 8000 samples of one byte each second.</summary>
    Pcmu,

    /// <summary>G.711 A-law (RFC 3551 §4.5.14): WAVE format tag 6, 8000 samples of one byte each second.</summary>
    Pcma,
}

public static class AudioCodecs
{
    extension(AudioCodec codec)
    {
        /// <summary>The encoding name of SDP's rtpmap (RFC 3551 §6).</summary>
        public string EncodingName => codec is AudioCodec.Pcmu ? "PCMU" : "PCMA";

        /// <summary>The static RTP payload type (RFC 3551 §6).</summary>
        public int StaticPayloadType => codec is AudioCodec.Pcmu ? 0 : 8;

        /// <summary>RTP timestamp units, and file bytes, per second.</summary>
        public int ClockRate => 8000;

        /// <summary>The byte that decodes to the quietest sample: µ-law 0xFF (0), A-law 0xD5 (8 of 32768).</summary>
        public byte Silence => codec is AudioCodec.Pcmu ? (byte)0xFF : (byte)0xD5;
    }

    /// <summary>Finds a codec by its encoding name, which is case-insensitive (RFC 3551 §6, RFC 8866 §6.6).</summary>
    public static bool TryParse(ReadOnlySpan<char> encodingName, out AudioCodec codec)
    {
        codec = encodingName.Equals("PCMA", StringComparison.OrdinalIgnoreCase) ? AudioCodec.Pcma : AudioCodec.Pcmu;
        return encodingName.Equals(codec.EncodingName, StringComparison.OrdinalIgnoreCase);
    }
}
