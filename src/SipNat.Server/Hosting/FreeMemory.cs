using System.Globalization;

namespace SipNat.Server.Hosting;

/// <summary>
/// How much memory this process can still have, by the machine and by the control groups that bound it, those of the first
/// version and of the second (proc(5), cgroups(7)). What the kernel keeps of files counts as free: it gives that up when it is asked.
/// </summary>
internal sealed class FreeMemory
{
    private static readonly Names First = new("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "total_active_file");
    private static readonly Names Second = new("memory.max", "memory.current", "inactive_file", "active_file");

    private readonly string _machine;
    private readonly List<(string Folder, Names Names)> _groups = [];

    /// <param name="root">Where <c>proc</c> and <c>sys</c> are.</param>
    public FreeMemory(string root = "/")
    {
        _machine = Path.Combine(root, "proc/meminfo");
        var groups = Path.Combine(root, "sys/fs/cgroup");
        foreach (var line in LinesOf(Path.Combine(root, "proc/self/cgroup")))
        {
            // Number, controllers and path; the second version has neither a number nor controllers.
            if (line.Split(':', 3) is not [_, var controllers, var path]) continue;

            if (controllers.Length == 0)
            {
                AddWithParents(groups, path, Second);
                AddWithParents(Path.Combine(groups, "unified"), path, Second);
            }
            else if (controllers.Split(',').Contains("memory"))
            {
                AddWithParents(Path.Combine(groups, "memory"), path, First);
            }
        }
    }

    /// <summary>Bytes; null where the system does not tell.</summary>
    public long? Read()
    {
        var free = NumberOf(_machine, "MemAvailable:") * 1024;
        foreach (var (folder, names) in _groups)
        {
            if (FreeIn(folder, names) is { } left && (free is null || left < free)) free = left;
        }

        return free;
    }

    // A group is bounded by those that it is in too. Where a container sees the path that its host has for it, and not the
    // folders, what is left of the way up is its own group.
    private void AddWithParents(string groups, string path, Names names)
    {
        for (var at = path.Trim('/'); ; at = Path.GetDirectoryName(at) ?? "")
        {
            var folder = Path.Combine(groups, at);
            if (File.Exists(Path.Combine(folder, names.Limit))) _groups.Add((folder, names));
            if (at.Length == 0) return;
        }
    }

    private static long? FreeIn(string folder, Names names)
    {
        if (Value(folder, names.Limit) is not { } limit || Value(folder, names.Used) is not { } used) return null;

        var stat = Path.Combine(folder, "memory.stat");
        return limit - used + (NumberOf(stat, names.Inactive) ?? 0) + (NumberOf(stat, names.Active) ?? 0);
    }

    // The one number of a file; "max" is none.
    private static long? Value(string folder, string name) =>
        LinesOf(Path.Combine(folder, name)) is [var text, ..] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static long? NumberOf(string file, string name)
    {
        foreach (var line in LinesOf(file))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var first, var number, ..]
                && first == name && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return value;
        }

        return null;
    }

    private static string[] LinesOf(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private sealed record Names(string Limit, string Used, string Inactive, string Active);
}
