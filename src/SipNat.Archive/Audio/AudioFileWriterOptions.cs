namespace SipNat.Archive.Audio;

/// <summary>How audio gets to the disk.</summary>
public sealed record AudioFileWriterOptions
{
    /// <summary>Threads that write; each file belongs to one of them. 1 to 64.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Buffers that may wait for each thread: 4096 of 8 KiB are 32 MiB, or an hour of one stream.</summary>
    public int QueueCapacity { get; init; } = 4096;

    /// <summary>How long a header may state less audio than its file has: what a killed process costs a plain player.</summary>
    public TimeSpan HeaderInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long written bytes may stay in the kernel alone: what a power cut costs.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(5);
}
