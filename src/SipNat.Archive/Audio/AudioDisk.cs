using Microsoft.Win32.SafeHandles;
using SipNat.Archive.Storage;

namespace SipNat.Archive.Audio;

/// <summary>The file system of this machine.</summary>
internal sealed class AudioDisk : IAudioDisk
{
    // A flush of one file waits for the journal of its file system, as one of the whole file system does: from so many
    // files on the latter is the cheaper.
    private const int FilesForcedAlone = 8;

    public bool Exists(string path) => File.Exists(path);

    public IAudioDiskFile Create(string path) => Open(path, FileMode.CreateNew);

    public IAudioDiskFile Reopen(string path) => Open(path, FileMode.OpenOrCreate);

    public IReadOnlyList<(IAudioDiskFile File, string Reason)> Force(IReadOnlyList<IAudioDiskFile> files)
    {
        if (files.Count > FilesForcedAlone && FileSystemNative.TrySyncFileSystem(((OpenFile)files[0]).Handle)) return [];

        var refused = new List<(IAudioDiskFile, string)>();
        foreach (var file in files)
        {
            try
            {
                ((OpenFile)file).Force();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                refused.Add((file, exception.Message));
            }
        }

        return refused;
    }

    private static OpenFile Open(string path, FileMode mode)
    {
        // The document of a session makes the folder too, on another thread: whoever is first.
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // A reader may open the file while it grows.
        return new OpenFile(path, File.OpenHandle(path, mode, FileAccess.Write, FileShare.Read));
    }

    private sealed class OpenFile(string path, SafeFileHandle handle) : IAudioDiskFile
    {
        private bool _isNamed;

        public SafeFileHandle Handle => handle;

        public long Length => RandomAccess.GetLength(handle);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(handle, bytes, offset);

        // The name of a file is in its folder: without that, the bytes cannot be found.
        public void Force()
        {
            RandomAccess.FlushToDisk(handle);
            if (_isNamed) return;

            FileSystemNative.SyncFolder(Path.GetDirectoryName(path)!);
            _isNamed = true;
        }

        public void Dispose() => handle.Dispose();
    }
}
