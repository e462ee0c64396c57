namespace SipNat.Archive.Storage;

/// <summary>Writes small files so that a reader, also one after a crash, sees the old bytes or the new ones.</summary>
internal static class AtomicFile
{
    /// <summary>The end of the name that a file has until it is whole.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <param name="durable">Whether the bytes are on the medium, and not only in the kernel, before the name is given.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool durable)
    {
        var temporary = path + TemporarySuffix;
        using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None, preallocationSize: bytes.Length))
        {
            RandomAccess.Write(handle, bytes, 0);
            if (durable) RandomAccess.FlushToDisk(handle);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
