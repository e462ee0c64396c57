namespace SipNat.Media.Wav;

/// <summary>Audio of one channel that is played in calls.</summary>
/// <param name="samples">16-bit linear; not copied, and not to be changed from here on.</param>
/// <param name="sampleRate">Samples per second.</param>
public sealed class AudioClip(ReadOnlyMemory<short> samples, int sampleRate)
{
    public ReadOnlyMemory<short> Samples => samples;

    public int SampleRate => sampleRate;

    public TimeSpan Duration => TimeSpan.FromSeconds((double)samples.Length / sampleRate);
}
