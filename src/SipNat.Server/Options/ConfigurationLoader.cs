using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace SipNat.Server.Options;

/// <summary>What the configuration is loaded from, apart from the file's content.</summary>
public sealed record ConfigurationInputs
{
    /// <summary>The file of <c>--config</c>; null: appsettings.json in the current folder, else beside the program.</summary>
    public string? File { get; init; }

    /// <summary><c>KEY=VALUE</c> of each <c>--set</c>, in order.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Environment variables; those that begin with <c>SIPNAT__</c> count.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string CurrentDirectory { get; init; } = System.IO.Directory.GetCurrentDirectory();

    public string ProgramDirectory { get; init; } = AppContext.BaseDirectory;

    /// <summary>With the environment of this process.</summary>
    public static ConfigurationInputs OfProcess(string? file, IReadOnlyList<string> settings) => new()
    {
        File = file,
        Settings = settings,
        Environment = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => entry.Value as string ?? "", StringComparer.Ordinal),
    };
}

/// <summary>Either the options, or everything that is wrong.</summary>
public sealed record ConfigurationResult(SipNatOptions? Options, IReadOnlyList<ConfigurationError> Errors, string? File)
{
    /// <exception cref="ConfigurationException">Something is wrong.</exception>
    public SipNatOptions OptionsOrThrow() => Options ?? throw new ConfigurationException(Errors);
}

/// <summary>
/// Loads the configuration: exactly one file, then the environment, then <c>--set</c>, each above the one before. A
/// list is taken as a whole from the highest source that names any of its entries.
/// </summary>
public static class ConfigurationLoader
{
    public const string FileName = "appsettings.json";
    private const string EnvironmentPrefix = "SIPNAT__";

    public static ConfigurationResult Load(ConfigurationInputs inputs)
    {
        var errors = new List<ConfigurationError>();
        var file = FindFile(inputs);
        SettingSource[] sources =
        [
            ReadFile(file, errors),
            new("environment", ReadEnvironment(inputs.Environment)),
            new("--set", ReadArguments(inputs.Settings, errors)),
        ];

        var folder = file is null ? inputs.CurrentDirectory : Path.GetDirectoryName(file)!;
        var reader = new SettingReader(sources, folder);
        var options = Read(reader);
        reader.RejectUnknownKeys(SerilogSection.Name, "$schema");
        errors.AddRange(reader.Errors);
        return new(errors.Count == 0 ? options : null, errors, file);
    }

    /// <summary>Every key that there is; lists as <c>Sip:Listen:N</c>.</summary>
    public static IReadOnlyList<string> KnownKeys()
    {
        var reader = new SettingReader([], Path.GetTempPath());
        Read(reader);
        return [.. reader.KnownKeys.Order(StringComparer.Ordinal)];
    }

    private static SipNatOptions Read(SettingReader reader) => new()
    {
        Sip = SipOptions.Read(reader),
        Nat = NatOptions.Read(reader),
        Media = MediaOptions.Read(reader),
        Recording = RecordingOptions.Read(reader),
        Http = HttpOptions.Read(reader),
        Accounts = AccountSettings.Read(reader),
        Calls = CallsOptions.Read(reader),
        Webhooks = WebhookOptions.Read(reader),
        Log = LogOptions.Read(reader),
    };

    private static string? FindFile(ConfigurationInputs inputs)
    {
        if (inputs.File is { } named) return Path.GetFullPath(named, inputs.CurrentDirectory);

        string[] candidates = [Path.Combine(inputs.CurrentDirectory, FileName), Path.Combine(inputs.ProgramDirectory, FileName)];
        return candidates.FirstOrDefault(File.Exists);
    }

    private static SettingSource ReadFile(string? path, List<ConfigurationError> errors)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (path is null) return new("no file", settings);

        try
        {
            using var stream = File.OpenRead(path);
            List<KeyValuePair<string, string?>> read = [.. new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable()];
            // Of an object and a list the keys inside are settings, and not the key that they stand under.
            var parents = read.SelectMany(static setting => ParentsOf(setting.Key)).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var (key, value) in read.Where(setting => !parents.Contains(setting.Key))) settings[key] = value;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            errors.Add(new("--config", path, null, $"cannot be read: {error.Message}"));
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            errors.Add(new("--config", path, null, $"is not valid JSON: {error.InnerException?.Message ?? error.Message}"));
        }

        return new(path, settings);
    }

    private static IEnumerable<string> ParentsOf(string key)
    {
        for (var colon = key.LastIndexOf(':'); colon > 0; colon = key.LastIndexOf(':', colon - 1)) yield return key[..colon];
    }

    private static Dictionary<string, string?> ReadEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in environment)
        {
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)) continue;
            settings[name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal)] = value;
        }

        return settings;
    }

    private static Dictionary<string, string?> ReadArguments(IReadOnlyList<string> arguments, List<ConfigurationError> errors)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var argument in arguments)
        {
            var equals = argument.IndexOf('=');
            if (equals > 0) settings[argument[..equals]] = argument[(equals + 1)..];
            else errors.Add(new("--set", argument, null, "must be KEY=VALUE, such as Media:Dscp=0."));
        }

        return settings;
    }
}
