using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Durability;

/// <summary>A file system of 20 MiB in memory, mounted for one test.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Bytes = 20 * 1024 * 1024;

    private readonly DirectoryInfo _folder;

    private SmallDisk(DirectoryInfo folder) => _folder = folder;

    public string Path => _folder.FullName;

    private string Filler => System.IO.Path.Combine(Path, "filler");

    public static async Task<SmallDisk> MountAsync()
    {
        var folder = Directory.CreateTempSubdirectory("sipnat-disk-");
        await ShortCommand.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={Bytes}", "sipnat-disk", folder.FullName]);
        return new SmallDisk(folder);
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
    }
}
