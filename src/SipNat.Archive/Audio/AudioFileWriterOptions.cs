namespace SipNat.Archive.Audio;

/// <summary>How audio gets to the disk.</summary>
public sealed record AudioFileWriterOptions
{
    /// <summary>Threads that write; each file belongs to one of them. 1 to 64.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>
    /// Buffers that may wait for each thread, whether it is busy or the disk refuses them: 4096 of 8 KiB are 32 MiB, or
    /// 17 minutes of two streams.
    /// </summary>
    public int QueueCapacity { get; init; } = 4096;

    /// <summary>How long a header may state less audio than its file has: what a killed process costs a plain player.</summary>
    public TimeSpan HeaderInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// What a power cut may cost. Written bytes are forced to the medium after half of it: the other half is for the
    /// audio that fills a buffer, and for a medium that takes its time.
    /// </summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(5);
}
