using Microsoft.Extensions.Configuration;

namespace SipNat.Server.Options;

/// <summary>
/// The <c>Serilog</c> section, which Serilog itself reads. Two things are ours: standard output belongs to the
/// commands, so that a console sink is refused, and relative paths begin at the configuration's folder.
/// </summary>
internal static class SerilogSection
{
    public const string Name = "Serilog";

    public static IConfiguration? Read(SettingReader settings)
    {
        var merged = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var source in settings.Sources)
        {
            foreach (var (key, value) in source.Settings)
            {
                if (!key.StartsWith($"{Name}:", StringComparison.OrdinalIgnoreCase)) continue;

                merged[key] = value;
                if (IsSinkName(key) && string.Equals(value, "Console", StringComparison.OrdinalIgnoreCase))
                {
                    settings.Add(new(key, value!, source.Name), "is there already, on standard error (Log:Level); standard output belongs to the commands.");
                }
            }
        }

        foreach (var key in merged.Keys.Where(IsPath).ToList())
        {
            if (merged[key] is { Length: > 0 } path) merged[key] = settings.Rooted(path);
        }

        return merged.Count == 0 ? null : new ConfigurationBuilder().AddInMemoryCollection(merged).Build();
    }

    private static bool IsSinkName(string key) =>
        (key.EndsWith(":Name", StringComparison.OrdinalIgnoreCase) || IsListEntry(key))
        && (key.Contains(":WriteTo", StringComparison.OrdinalIgnoreCase) || key.Contains(":AuditTo", StringComparison.OrdinalIgnoreCase));

    // "WriteTo": [ "Console" ] names a sink without an object around it.
    private static bool IsListEntry(string key) => key.Length > 0 && char.IsAsciiDigit(key[^1]) && key.LastIndexOf(':') is > 0 and var colon
        && key.AsSpan(colon + 1).ContainsAnyExceptInRange('0', '9') is false;

    private static bool IsPath(string key) => key.EndsWith(":Args:path", StringComparison.OrdinalIgnoreCase);
}
