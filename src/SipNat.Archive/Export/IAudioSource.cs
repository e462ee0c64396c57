namespace SipNat.Archive.Export;

/// <summary>The audio of one file as linear samples, read from its beginning to its end. Opens the file when it is first read.</summary>
internal interface IAudioSource : IDisposable
{
    int SampleRate { get; }

    /// <summary>Samples of the file.</summary>
    long Length { get; }

    /// <summary>Fills the span with the next samples; silence where there are none.</summary>
    void Read(Span<short> samples);
}
