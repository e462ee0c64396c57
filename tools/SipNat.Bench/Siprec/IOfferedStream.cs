using SipNat.Bench.Audio;

namespace SipNat.Bench.Siprec;

/// <summary>What an offer and its metadata say of a stream.</summary>
public interface IOfferedStream
{
    string Label { get; }

    /// <summary>The RTP port that the offer names.</summary>
    int Port { get; }

    G711Variant Codec { get; }
}
