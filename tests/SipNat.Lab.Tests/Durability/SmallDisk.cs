using System.ComponentModel;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Durability;

/// <summary>
/// A file system of 20 MiB, mounted for one test: ext4 on a loop device, or, where the machine has no such device, one
/// in memory.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Bytes = 20 * 1024 * 1024;

    private readonly DirectoryInfo _folder;

    private SmallDisk(DirectoryInfo folder) => _folder = folder;

    public string Path => _folder.FullName;

    private string Filler => System.IO.Path.Combine(Path, "filler");

    private string Image => Path + ".ext4";

    public static async Task<SmallDisk> MountAsync()
    {
        var disk = new SmallDisk(Directory.CreateTempSubdirectory("sipnat-disk-"));
        try
        {
            await using (var image = File.Create(disk.Image)) image.SetLength(Bytes);
            await ShortCommand.RunAsync("mkfs.ext4", ["-q", disk.Image]);
            await ShortCommand.RunAsync("mount", ["-o", "loop", disk.Image, disk.Path]);
        }
        catch (Exception error) when (error is LabException or Win32Exception)
        {
            TestContext.Current.SendDiagnosticMessage($"no loop device here, the disk is in memory: {error.Message}");
            await ShortCommand.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={Bytes}", "sipnat-disk", disk.Path]);
        }

        return disk;
    }

    /// <summary>Takes every byte that is left.</summary>
    public void Fill()
    {
        using var handle = File.OpenHandle(Filler, FileMode.Create, FileAccess.Write);
        var block = new byte[4096];
        try
        {
            for (var at = 0L; at <= Bytes; at += block.Length) RandomAccess.Write(handle, block, at);
        }
        catch (IOException)
        {
            return;
        }

        Assert.Fail("The disk took more than it has.");
    }

    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        // The recorder may hold its claim on the folder: it is taken out of sight at once and goes with its last user.
        await ShortCommand.RunAsync("umount", ["--lazy", Path]);
        _folder.Delete();
        File.Delete(Image);
    }
}
