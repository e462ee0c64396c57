namespace SipNat.Archive.Audio;

/// <summary>How audio gets to the disk.</summary>
public sealed record AudioFileWriterOptions
{
    /// <summary>Threads that write; each file belongs to one of them. 1 to 64.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>
    /// Buffers that may wait for each thread, whether it is busy or the disk refuses them. One of audio has 4 KiB: 65,536
    /// are 256 MiB, or eight seconds of 4,000 streams and 27 minutes of 20. One of packets has up to 8 KiB.
    /// </summary>
    public int QueueCapacity { get; init; } = 65_536;

    /// <summary>
    /// How long a header may state less audio than its file has: what a player of a running recording, or of one whose
    /// process was killed and has not been started again, may miss. A start after a kill states what is there.
    /// </summary>
    public TimeSpan HeaderInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the first buffer after a pause waits for others, so that a thread is woken for many.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// What a power cut may cost. Written bytes are forced to the medium after half of it: the other half is for the
    /// audio that fills a buffer, and for a medium that takes its time.
    /// </summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(5);
}
