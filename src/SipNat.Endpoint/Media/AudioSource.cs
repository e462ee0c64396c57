using SipNat.Media.Wav;

namespace SipNat.Endpoint.Media;

/// <summary>What a call sends. The set is closed: switch over it.</summary>
public abstract record AudioSource
{
    private AudioSource()
    {
    }

    /// <summary>Packets of silence: who sends nothing is hung up on.</summary>
    public sealed record Silence : AudioSource;

    /// <summary>The sum of some sines.</summary>
    /// <param name="Frequencies">In Hz.</param>
    /// <param name="Level">Of each, in dBm0.</param>
    public sealed record Tone(IReadOnlyList<double> Frequencies, double Level = -16) : AudioSource;

    /// <summary>Begins when audio may be sent; silence follows.</summary>
    /// <param name="Loops">Begins anew at its end.</param>
    public sealed record Clip(AudioClip Audio, bool Loops = false) : AudioSource;

    /// <summary>What is heard goes back.</summary>
    public sealed record Echo : AudioSource;
}
