using Microsoft.Win32.SafeHandles;

namespace SipNat.Archive.Storage;

/// <summary>Writes small files so that a reader, also one after a crash, sees the old bytes or the new ones.</summary>
internal static class AtomicFile
{
    /// <summary>The end of the name that a file has until it is whole.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <param name="durable">Whether the bytes are on the medium, and not only in the kernel, before the name is given.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool durable)
    {
        using (var handle = WriteTemporary(path, bytes))
        {
            if (durable) RandomAccess.FlushToDisk(handle);
        }

        File.Move(path + TemporarySuffix, path, overwrite: true);
    }

    /// <summary>Writes the bytes under the name that they have until they are whole; the caller closes the file.</summary>
    public static SafeFileHandle WriteTemporary(string path, ReadOnlySpan<byte> bytes)
    {
        var handle = Create(path + TemporarySuffix);
        try
        {
            RandomAccess.Write(handle, bytes, 0);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    // One that is there is of an attempt that failed; a new file costs the file system less than one that is emptied.
    private static SafeFileHandle Create(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(path);
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
    }
}
