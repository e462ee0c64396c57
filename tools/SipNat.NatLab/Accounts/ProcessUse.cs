using System.Globalization;

namespace SipNat.NatLab.Accounts;

/// <summary>What a process has used so far, as the kernel counts it.</summary>
internal readonly record struct ProcessUse(TimeSpan Processor, long ResidentBytes)
{
    private const double TicksPerSecond = 100;

    public static ProcessUse Of(int process)
    {
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th words after it (proc(5)).
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var words = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(words[11], CultureInfo.InvariantCulture) + long.Parse(words[12], CultureInfo.InvariantCulture);
        var pages = long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture);
        return new(TimeSpan.FromSeconds(ticks / TicksPerSecond), pages * Environment.SystemPageSize);
    }

    /// <summary>With its children, as servers have that fork their workers.</summary>
    public static ProcessUse OfTree(int process)
    {
        var sum = Of(process);
        foreach (var child in File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var used = Of(int.Parse(child, CultureInfo.InvariantCulture));
            sum = new(sum.Processor + used.Processor, sum.ResidentBytes + used.ResidentBytes);
        }

        return sum;
    }
}
