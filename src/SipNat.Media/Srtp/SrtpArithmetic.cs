namespace SipNat.Media.Srtp;

/// <summary>By what key streams and tags are computed. Both give the same.</summary>
public enum SrtpArithmetic
{
    /// <summary>
    /// By the instructions that the processor has for AES, and by its vectors the tags of packets that came together.
    /// What it does not have is done by the library.
    /// </summary>
    Processor,

    /// <summary>By the system's library, packet by packet.</summary>
    Library,
}
