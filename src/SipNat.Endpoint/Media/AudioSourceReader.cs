using System.Diagnostics;
using SipNat.Media.Tones;
using SipNat.Media.Wav;

namespace SipNat.Endpoint.Media;

/// <summary>Makes the samples of an <see cref="AudioSource"/>.</summary>
internal sealed class AudioSourceReader
{
    private readonly AudioSource _source;
    private readonly ToneGenerator? _tone;
    private readonly ClipReader? _clip;
    private bool _hasEnded;

    public AudioSourceReader(AudioSource source, int sampleRate)
    {
        _source = source;
        switch (source)
        {
            case AudioSource.Tone(var frequencies, var level):
                _tone = new(sampleRate, frequencies, level);
                break;
            case AudioSource.Clip(var audio, var loops):
                _clip = new(audio, sampleRate, loops);
                break;
            case AudioSource.Silence or AudioSource.Echo:
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The next block.</summary>
    /// <param name="heard">What is heard of the peer at the same time.</param>
    public void Fill(Span<short> block, ReadOnlySpan<short> heard)
    {
        if (_tone is not null) _tone.Fill(block);
        else if (_clip is not null) _clip.Fill(block);
        else if (_source is AudioSource.Echo) heard.CopyTo(block);
        else block.Clear();
    }

    /// <summary>Whether a clip has been given to its end; told once.</summary>
    public bool TakeEnded()
    {
        if (_hasEnded || _clip is not { IsAtEnd: true }) return false;

        return _hasEnded = true;
    }
}
