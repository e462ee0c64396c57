using System.ComponentModel;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Durability;

/// <summary>
/// A file system of 20 MiB, mounted for one test: ext4 on a loop device, or, where the machine has no such device, one
/// in memory. That on a device can be made slow.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Bytes = 20 * 1024 * 1024;

    // What the kernel keeps for a slow device before whoever writes has to wait; else 20 MiB would never make anybody wait.
    private const int MostDirty = 128 * 1024;

    // Of the first version of control groups: the root group, in which this device is the only one that is limited.
    private const string Throttle = "/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device";

    private readonly DirectoryInfo _folder;
    private string? _device;
    private bool _isSlow;

    private SmallDisk(DirectoryInfo folder) => _folder = folder;

    public string Path => _folder.FullName;

    private string Filler => System.IO.Path.Combine(Path, "filler");

    private string Image => Path + ".ext4";

    private string Backing => $"/sys/class/bdi/{_device}";

    public static async Task<SmallDisk> MountAsync()
    {
        var disk = new SmallDisk(Directory.CreateTempSubdirectory("sipnat-disk-"));
        try
        {
            await using (var image = File.Create(disk.Image)) image.SetLength(Bytes);
            await ShortCommand.RunAsync("mkfs.ext4", ["-q", disk.Image]);
            await ShortCommand.RunAsync("mount", ["-o", "loop", disk.Image, disk.Path]);
            disk._device = (await ShortCommand.RunAsync("findmnt", ["-n", "-o", "MAJ:MIN", disk.Path])).Trim();
        }
        catch (Exception error) when (error is LabException or Win32Exception)
        {
            TestContext.Current.SendDiagnosticMessage($"no loop device here, the disk is in memory: {error.Message}");
            await ShortCommand.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={Bytes}", "sipnat-disk", disk.Path]);
        }

        return disk;
    }

    /// <summary>Why it cannot be made slow here; null where it can.</summary>
    public string? WhyNotSlow => _device is null ? "There is no loop device." : File.Exists(Throttle) ? null : $"There is no {Throttle}.";

    /// <summary>Lets the device write so many bytes a second, and whoever writes wait for it.</summary>
    public void Slow(int bytesPerSecond)
    {
        _isSlow = true;
        Limit(bytesPerSecond, isStrict: 1, ("max_bytes", MostDirty));
    }

    /// <summary>Lets it write as fast as it can.</summary>
    public void Hasten()
    {
        // As a share: the bytes that it was before may be more than the machine lets anybody have by now.
        if (_isSlow) Limit(0, isStrict: 0, ("max_ratio", 100));
    }

    /// <summary>Takes every block that is left, without writing to any.</summary>
    public async Task ReserveAsync()
    {
        for (var (length, at) = (1 << 20, 0); length >= 4096;)
        {
            var taken = await ShortCommand.TryRunAsync("fallocate", ["-o", $"{at}", "-l", $"{length}", Filler]);
            if (taken.ExitCode == 0) at += length;
            else length /= 4;
        }
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
        Hasten();
        await ShortCommand.RunAsync("umount", ["--lazy", Path]);
        _folder.Delete();
        File.Delete(Image);
    }

    private void Limit(int bytesPerSecond, int isStrict, (string Name, int Value) dirty)
    {
        File.WriteAllText(Throttle, $"{_device} {bytesPerSecond}");
        File.WriteAllText($"{Backing}/strict_limit", $"{isStrict}");
        File.WriteAllText($"{Backing}/{dirty.Name}", $"{dirty.Value}");
    }
}
