using Microsoft.Win32.SafeHandles;

namespace SipNat.Archive.Storage;

/// <summary>
/// The mark of the one process that records into a directory: a locked file, which the kernel unlocks when that
/// process ends in whatever way. It keeps a second server out, and tells tools whether a running session is alive.
/// </summary>
internal sealed class DirectoryClaim : IDisposable
{
    private const string FileName = ".serving";

    // Somebody who only looks holds the lock for microseconds.
    private const int Attempts = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle _lock;

    private DirectoryClaim(SafeFileHandle held) => _lock = held;

    /// <summary>Takes the claim; null when another process has it.</summary>
    public static DirectoryClaim? TryTake(string directory)
    {
        Directory.CreateDirectory(directory);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryLock(directory) is { } held) return new DirectoryClaim(held);

            Thread.Sleep(Pause);
        }

        return null;
    }

    /// <summary>Whether some process, this one included, has the claim.</summary>
    public static bool IsHeld(string directory)
    {
        if (!File.Exists(Path.Combine(directory, FileName))) return false;

        using var held = TryLock(directory);
        return held is null;
    }

    public void Dispose() => _lock.Dispose();

    private static SafeFileHandle? TryLock(string directory)
    {
        try
        {
            return File.OpenHandle(Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception.GetType() == typeof(IOException))
        {
            // A sharing violation has no type of its own, unlike a path that is missing or too long.
            return null;
        }
    }
}
