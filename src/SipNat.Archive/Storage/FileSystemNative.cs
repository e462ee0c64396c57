using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SipNat.Archive.Storage;

/// <summary>The calls of libc that bring more than one file's bytes to the medium, and that .NET does not offer.</summary>
internal static class FileSystemNative
{
    // O_RDONLY | O_CLOEXEC; a folder cannot be opened otherwise than to be read.
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>
    /// Forces everything that was written to the file system of an open file, names and lengths too. False where that
    /// cannot be had or something could not be written: then the files have to be asked one by one.
    /// </summary>
    public static bool TrySyncFileSystem(SafeFileHandle file) => OperatingSystem.IsLinux() && SyncFileSystem(file) == 0;

    /// <summary>Forces the names in a folder: a file that was made or renamed there is found after a power cut.</summary>
    /// <exception cref="IOException">The folder could not be forced.</exception>
    public static void SyncFolder(string path)
    {
        if (!OperatingSystem.IsLinux()) return;

        using var folder = new SafeFileHandle(Open(path, ReadOnlyCloseOnExec), ownsHandle: true);
        if (folder.IsInvalid || Sync(folder) != 0) throw new IOException($"The folder {path} could not be forced to the disk: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [DllImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SyncFileSystem(SafeFileHandle file);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(SafeFileHandle file);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
