using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

/// <summary>Files as the kernel's documentation shows them (proc(5), cgroup-v1/memory, cgroup-v2), in a folder of the test's own.</summary>
public sealed class FreeMemoryTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("sipnat-memory-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_machine_says_what_is_available()
    {
        Write("proc/meminfo", "MemTotal:       24684096 kB\nMemFree:        22098928 kB\nMemAvailable:   24191876 kB\n");

        Assert.Equal(24_191_876L * 1024, Read());
    }

    [Fact]
    public void A_group_of_the_second_version_has_its_limit_less_what_is_used_and_no_cache()
    {
        Write("proc/meminfo", "MemAvailable:   24191876 kB\n");
        Write("proc/self/cgroup", "0::/system.slice/sipnat.service\n");
        Group("sys/fs/cgroup/system.slice/sipnat.service", "memory.max", "1000000", "memory.current", "900000", "anon 500000\ninactive_file 200000\nactive_file 50000\n");

        Assert.Equal(350_000, Read());
    }

    [Fact]
    public void A_group_is_bounded_by_those_that_it_is_in()
    {
        Write("proc/meminfo", "MemAvailable:   24191876 kB\n");
        Write("proc/self/cgroup", "0::/system.slice/sipnat.service\n");
        Group("sys/fs/cgroup/system.slice", "memory.max", "1000000", "memory.current", "999000", "inactive_file 0\nactive_file 0\n");
        Group("sys/fs/cgroup/system.slice/sipnat.service", "memory.max", "max", "memory.current", "900000", "inactive_file 200000\n");

        Assert.Equal(1_000, Read());
    }

    [Fact]
    public void A_group_of_the_first_version_has_names_of_its_own()
    {
        Write("proc/meminfo", "MemAvailable:   24191876 kB\n");
        Write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/process/a\n0::/\n");
        Group("sys/fs/cgroup/memory/process/a", "memory.limit_in_bytes", "5000", "memory.usage_in_bytes", "4000", "total_inactive_file 100\ntotal_active_file 10\ninactive_file 7\n");

        Assert.Equal(1_110, Read());
    }

    [Fact]
    public void A_container_that_does_not_see_its_path_has_its_group_at_the_root()
    {
        Write("proc/meminfo", "MemAvailable:   24191876 kB\n");
        Write("proc/self/cgroup", "4:memory:/docker/0123456789abcdef\n");
        Group("sys/fs/cgroup/memory", "memory.limit_in_bytes", "5000", "memory.usage_in_bytes", "4000", "total_inactive_file 0\ntotal_active_file 0\n");

        Assert.Equal(1_000, Read());
    }

    [Fact]
    public void What_is_used_beyond_a_limit_leaves_less_than_nothing()
    {
        Write("proc/self/cgroup", "0::/\n");
        Group("sys/fs/cgroup", "memory.max", "1000", "memory.current", "1500", "");

        Assert.Equal(-500, Read());
    }

    [Theory]
    [InlineData("")]
    [InlineData("MemAvailable:")]
    [InlineData("MemAvailable: many kB")]
    [InlineData("MemTotal:       24684096 kB")]
    public void What_cannot_be_read_is_not_known(string machine)
    {
        Write("proc/meminfo", machine);
        Write("proc/self/cgroup", "memory\n4:memory\n0::/a\n");
        Group("sys/fs/cgroup/a", "memory.max", "a lot", "memory.current", "", "inactive_file");

        Assert.Null(Read());
        Assert.Null(new FreeMemory(Path.Combine(_root.FullName, "nowhere")).Read());
    }

    [Fact]
    public void This_machine_has_some()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems are not asked.");

        Assert.InRange(new FreeMemory().Read()!.Value, 1 << 20, long.MaxValue);
    }

    private long? Read() => new FreeMemory(_root.FullName).Read();

    private void Group(string folder, string limitName, string limit, string usedName, string used, string stat)
    {
        Write($"{folder}/{limitName}", limit + "\n");
        Write($"{folder}/{usedName}", used + "\n");
        Write($"{folder}/memory.stat", stat);
    }

    private void Write(string path, string text)
    {
        var file = new FileInfo(Path.Combine(_root.FullName, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }
}
