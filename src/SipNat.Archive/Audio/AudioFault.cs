namespace SipNat.Archive.Audio;

/// <summary>What the disk did to one audio file. The set is closed: switch over it.</summary>
/// <param name="Path">The file.</param>
/// <param name="At">When it was seen, by the wall clock.</param>
/// <param name="Reason">What the operating system said, or what was full.</param>
public abstract record AudioFault(string Path, DateTimeOffset At, string Reason)
{
    /// <summary>The file takes nothing from here on. Its audio waits in memory, and is tried again every second.</summary>
    public sealed record Refused(string Path, DateTimeOffset At, string Reason) : AudioFault(Path, At, Reason);

    /// <summary>The file takes audio again, or was closed whole after it had not.</summary>
    /// <param name="Since">When it was refused.</param>
    /// <param name="Missing">What found no room in memory and is silence in the file, in order, and was not told before; mostly nothing.</param>
    public sealed record Resumed(string Path, DateTimeOffset At, string Reason, DateTimeOffset Since, IReadOnlyList<AudioSpan> Missing)
        : AudioFault(Path, At, Reason);

    /// <summary>The file is taken in part only, for so long that it is told before it is over.</summary>
    /// <param name="Since">When it was first refused.</param>
    /// <param name="Missing">What found no room in memory and is silence in the file, in order; what was told before is not in it.</param>
    public sealed record Silenced(string Path, DateTimeOffset At, string Reason, DateTimeOffset Since, IReadOnlyList<AudioSpan> Missing)
        : AudioFault(Path, At, Reason);

    /// <summary>Nothing more will be written to the file.</summary>
    public sealed record Ended(string Path, DateTimeOffset At, string Reason) : AudioFault(Path, At, Reason);

    /// <summary>The medium did not confirm what the kernel has: a power cut may cost it. It is forced again later.</summary>
    public sealed record NotForced(string Path, DateTimeOffset At, string Reason) : AudioFault(Path, At, Reason);
}
