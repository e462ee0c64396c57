using System.Buffers;

namespace SipNat.Endpoint.Media;

/// <summary>
/// 20 ms of a call, both directions. Blocks follow each other without gaps; one that was refused, as nobody took the
/// earlier ones, leaves its number out.
/// </summary>
/// <remarks>Its memory is pooled: whoever took it releases it once.</remarks>
public readonly struct CapturedAudio
{
    private readonly short[] _samples;

    internal CapturedAudio(SessionId session, int port, int sampleRate, long number, int length)
    {
        (Session, Port, SampleRate, Number, Length) = (session, port, sampleRate, number, length);
        _samples = ArrayPool<short>.Shared.Rent(2 * length);
    }

    public SessionId Session { get; }

    /// <summary>The place of its stream among the ports of the session.</summary>
    public int Port { get; }

    public int SampleRate { get; }

    /// <summary>From 0: the block begins 20 ms times this after the capture.</summary>
    public long Number { get; }

    /// <summary>Samples of each direction.</summary>
    public int Length { get; }

    /// <summary>What we sent; silence where nothing was sent.</summary>
    public Span<short> Ours => _samples.AsSpan(0, Length);

    /// <summary>What was heard of the peer.</summary>
    public Span<short> Theirs => _samples.AsSpan(Length, Length);

    /// <summary>Gives the memory back.</summary>
    public void Release() => ArrayPool<short>.Shared.Return(_samples);
}
