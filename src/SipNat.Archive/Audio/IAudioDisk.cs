namespace SipNat.Archive.Audio;

/// <summary>
/// Where audio files lie. Members throw <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when the
/// disk refuses, and may take any time. Writing and forcing come from two threads.
/// </summary>
internal interface IAudioDisk
{
    /// <summary>Whether a file of that path is there; no answer of the disk is no.</summary>
    bool Exists(string path);

    /// <summary>Makes a file, and its folder where it is missing. A file that is there already is an error.</summary>
    IAudioDiskFile Create(string path);

    /// <summary>Opens a file that was made before with what it has; makes it anew where it is gone.</summary>
    IAudioDiskFile Reopen(string path);

    /// <summary>Forces what was written to these files to the medium.</summary>
    /// <returns>Those that could not be forced, with what the operating system said.</returns>
    IReadOnlyList<(IAudioDiskFile File, string Reason)> Force(IReadOnlyList<IAudioDiskFile> files);
}

/// <summary>One open file of an <see cref="IAudioDisk"/>.</summary>
internal interface IAudioDiskFile : IDisposable
{
    /// <summary>Bytes in the file, its header included.</summary>
    long Length { get; }

    /// <summary>Writes all bytes at an offset from the file's beginning, or throws.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);
}
