using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SipNat.Server.Transport;

namespace SipNat.Server.Options;

/// <summary>
/// Reads typed settings out of the sources and gathers every error. What is read is thereby known: a key that nobody
/// read is an error that names the nearest known one.
/// </summary>
internal sealed class SettingReader
{
    /// <summary>Entries of one list. Networks, listeners and servers are counted in dozens.</summary>
    public const int MaxListEntries = 1000;

    private const int MaxSecretFile = 4096;

    private readonly IReadOnlyList<SettingSource> _sources;
    private readonly string _baseDirectory;
    private readonly List<ConfigurationError> _errors = [];
    private readonly SortedSet<string> _scalars = new(StringComparer.OrdinalIgnoreCase);
    private readonly SortedSet<string> _lists = new(StringComparer.OrdinalIgnoreCase);
    private readonly SortedDictionary<string, IReadOnlyList<string>> _objects = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, SettingSource> _listSources = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="sources">From the lowest to the highest.</param>
    /// <param name="baseDirectory">Where relative paths begin; absolute.</param>
    public SettingReader(IReadOnlyList<SettingSource> sources, string baseDirectory) =>
        (_sources, _baseDirectory) = (sources, baseDirectory);

    public IReadOnlyList<SettingSource> Sources => _sources;

    public IReadOnlyList<ConfigurationError> Errors => _errors;

    /// <summary>Every key that was read so far; lists as <c>Sip:Listen:N</c>.</summary>
    public IEnumerable<string> KnownKeys => _scalars.Where(key => !_objects.Keys.Any(list => IsEntry(list, key)))
        .Concat(_lists.Select(list => $"{list}:N"))
        .Concat(_objects.SelectMany(list => list.Value.Select(member => $"{list.Key}:N:{member}")));

    public string Rooted(string path) => Path.GetFullPath(path, _baseDirectory);

    public T Value<T>(string key, T defaultValue, Func<string, Parsed<T>> parse)
    {
        _scalars.Add(key);
        if (Find(key) is not { } setting) return defaultValue;

        var parsed = parse(setting.Value);
        if (parsed.Problem is null) return parsed.Value;

        Add(setting, parsed.Problem);
        return defaultValue;
    }

    /// <summary>
    /// A list as a whole from the highest source that names any of its entries; null where none does.
    /// </summary>
    public IReadOnlyList<T>? List<T>(string key, Func<string, Parsed<T>> parse)
    {
        _lists.Add(key);
        var source = _sources.LastOrDefault(candidate => Entries(candidate, key).Any());
        if (source is null) return null;

        var entries = Entries(source, key).OrderBy(entry => entry.Index).ToList();
        if (entries.Count > MaxListEntries)
        {
            _errors.Add(new(key, null, source.Name, $"has {entries.Count} entries; at most {MaxListEntries} are taken."));
            return [];
        }

        var values = new List<T>(entries.Count);
        foreach (var (_, setting) in entries)
        {
            var parsed = parse(setting.Value);
            if (parsed.Problem is null) values.Add(parsed.Value);
            else Add(setting, parsed.Problem);
        }

        return values;
    }

    /// <summary>
    /// A list of sections as a whole from the highest source that names any of their members; empty where none does.
    /// Every member of an entry is then taken from there alone.
    /// </summary>
    /// <param name="members">The names that each section may have.</param>
    /// <param name="read">Reads the section whose key it is given; null leaves it out, where an error was added.</param>
    /// <param name="most">Entries that are taken; more of them are an error.</param>
    public IReadOnlyList<T> Objects<T>(string key, IReadOnlyList<string> members, Func<string, T?> read, int most = MaxListEntries)
        where T : class
    {
        _objects[key] = members;
        var source = _sources.LastOrDefault(candidate => Numbers(candidate, key, members).Any());
        if (source is null) return [];

        var numbers = Numbers(source, key, members).Distinct().Order().ToList();
        _listSources[key] = source;
        if (numbers.Count > most)
        {
            _errors.Add(new(key, null, source.Name, $"has {numbers.Count} entries; at most {most} are taken."));
            return [];
        }

        return [.. numbers.Select(number => read($"{key}:{number.ToString(CultureInfo.InvariantCulture)}")).OfType<T>()];
    }

    /// <summary>A secret, or the content of the file that the key with <c>File</c> names. No message ever shows it.</summary>
    public string? Secret(string key, int minLength) => Secret(key, text => SettingText.Secret(text, minLength));

    /// <summary>As <see cref="Secret(string, int)"/>, with a rule of its own for the text.</summary>
    public string? Secret(string key, Func<string, Parsed<string>> parse)
    {
        _scalars.Add(key);
        _scalars.Add($"{key}File");
        var (direct, file) = (Find(key), Find($"{key}File"));
        if (direct is not null && file is not null)
        {
            _errors.Add(new(key, null, direct.Value.Source, $"is set, and so is {key}File: one of them has to go."));
            return null;
        }

        if (direct is { } setting) return Check(parse(setting.Value), setting);
        return file is { } named && TryReadFile(named, out var text) ? Check(parse(text), named) : null;
    }

    public bool Boolean(string key, bool defaultValue) => Value(key, defaultValue, text =>
        bool.TryParse(text, out var value) ? value : Parsed.Not<bool>("must be true or false."));

    public int Integer(string key, int defaultValue, int min, int max) =>
        Value(key, defaultValue, text => SettingText.Integer(text, min, max));

    public int? OptionalInteger(string key, int min, int max) => Value<int?>(key, null, text =>
    {
        var parsed = SettingText.Integer(text, min, max);
        return new(parsed.Value, parsed.Problem);
    });

    public TimeSpan Duration(string key, TimeSpan defaultValue, TimeSpan min, TimeSpan max) =>
        Value(key, defaultValue, text => SettingText.Duration(text, min, max));

    public T Choice<T>(string key, T defaultValue)
        where T : struct, Enum => Value(key, defaultValue, text =>
        Enum.GetNames<T>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<T>(known)
            : Parsed.Not<T>($"must be one of {string.Join(", ", Enum.GetNames<T>())}."));

    /// <summary>The same where nothing is set; null then.</summary>
    public T? OptionalChoice<T>(string key)
        where T : struct, Enum => Value<T?>(key, null, text =>
        Enum.GetNames<T>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<T>(known)
            : Parsed.Not<T?>($"must be one of {string.Join(", ", Enum.GetNames<T>())}."));

    /// <summary>The rooted path of a file of audio that is there; what is in it is seen when it is played.</summary>
    public Parsed<string?> AudioFile(string text) =>
        text.Length > 0 && !text.Contains('\0') && File.Exists(Rooted(text)) ? Rooted(text) : Parsed.Not<string?>("must be the path of a WAVE file that is there.");

    /// <summary>The rooted path of a file that is there.</summary>
    public Parsed<string?> ReadableFile(string text) =>
        text.Length > 0 && !text.Contains('\0') && File.Exists(Rooted(text)) ? Rooted(text) : Parsed.Not<string?>("must be the path of a file that is there.");

    public Parsed<string> Directory(string text) =>
        text.Length == 0 || text.Contains('\0') ? Parsed.Not<string>("must be the path of a folder.") : Rooted(text);

    /// <summary>The rooted path of a PEM file that holds certificates.</summary>
    public Parsed<string?> CertificateFile(string text)
    {
        try
        {
            var path = Rooted(text);
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(path);
            return certificates.Count > 0 ? path : Parsed.Not<string?>("must be a PEM file that holds a certificate.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            return Parsed.Not<string?>($"must be a PEM file that holds a certificate: {error.Message}");
        }
    }

    /// <summary>A certificate and its key go together, and belong together.</summary>
    /// <param name="section">Under which the keys <c>Certificate</c> and <c>Key</c> stand.</param>
    public bool RequirePair(string? certificate, string? key, string section)
    {
        Require(certificate is null || key is not null, $"{section}:Key", "must be set: a PEM file with the key of the certificate.");
        Require(certificate is not null || key is null, $"{section}:Certificate", "must be set: a PEM file with the certificate of the key, and after it those that lead to its authority.");
        if (certificate is null || key is null) return false;

        var problem = TlsIdentity.ProblemOf(certificate, key);
        Require(problem is null, $"{section}:Key", $"must be the key of {section}:Certificate, in PEM and not encrypted: {problem}");
        return problem is null;
    }

    /// <summary>A rule between settings; blames the one named, or says so where it has its default.</summary>
    public void Require(bool holds, string key, string problem)
    {
        if (holds) return;
        if (Find(key) is { } setting) Add(setting, problem);
        else _errors.Add(new(key, null, null, problem));
    }

    /// <summary>An error about a setting that a section reads by itself.</summary>
    public void Add(Setting setting, string problem) => _errors.Add(new(setting.Key, setting.Value, setting.Source, problem));

    /// <summary>Adds an error for each key that nobody has read.</summary>
    /// <param name="foreignSections">Sections that belong to others and are not looked into.</param>
    public void RejectUnknownKeys(params ReadOnlySpan<string> foreignSections)
    {
        foreach (var source in _sources)
        {
            foreach (var (key, value) in source.Settings.OrderBy(setting => setting.Key, StringComparer.OrdinalIgnoreCase))
            {
                if (IsKnown(key, value) || IsIn(foreignSections, key)) continue;

                if (_lists.Contains(key)) _errors.Add(new(key, value, source.Name, $"is a list: set {key}:0 and so on."));
                else _errors.Add(new(key, null, source.Name, NearestKey.Explain(key, KnownKeys)));
            }
        }
    }

    private string? Check(Parsed<string> secret, Setting setting)
    {
        if (secret.Problem is null) return secret.Value;

        _errors.Add(new(setting.Key, null, setting.Source, secret.Problem));
        return null;
    }

    private bool TryReadFile(Setting setting, out string text)
    {
        text = "";
        try
        {
            var path = Rooted(setting.Value);
            if (new FileInfo(path).Length > MaxSecretFile) throw new IOException($"it has more than {MaxSecretFile} bytes");

            // Editors end the line.
            text = File.ReadAllText(path).TrimEnd('\r', '\n');
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Add(setting, $"cannot be read: {error.Message}");
            return false;
        }
    }

    /// <summary>The setting as the highest source has it; null where none has it.</summary>
    private Setting? Find(string key)
    {
        if (_listSources.FirstOrDefault(list => IsEntry(list.Key, key)).Value is { } only)
        {
            return only.Settings.TryGetValue(key, out var member) && member is not null ? new(key, member, only.Name) : null;
        }

        for (var i = _sources.Count - 1; i >= 0; i--)
        {
            if (_sources[i].Settings.TryGetValue(key, out var value) && value is not null) return new(key, value, _sources[i].Name);
        }

        return null;
    }

    private static IEnumerable<(int Index, Setting Setting)> Entries(SettingSource source, string list) =>
        from setting in source.Settings
        where setting.Value is not null
        let index = IndexIn(list, setting.Key)
        where index is not null
        select (index.Value, new Setting(setting.Key, setting.Value, source.Name));

    // An object or list without content is flattened to its own key with no text; it sets nothing.
    private bool IsKnown(string key, string? value) =>
        _scalars.Contains(key)
        || _lists.Any(list => IndexIn(list, key) is not null)
        || _objects.Any(list => list.Value.Any(member => key.EndsWith($":{member}", StringComparison.OrdinalIgnoreCase) && IndexIn(list.Key, key[..^(member.Length + 1)]) is not null))
        || (string.IsNullOrEmpty(value) && KnownKeys.Any(known => known.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase)));

    // Whether a key belongs to a numbered section of a list.
    private static bool IsEntry(string list, string key) =>
        key.LastIndexOf(':') is > 0 and var colon && IndexIn(list, key[..colon]) is not null;

    // An entry is named by a member that it may have; any other is an unknown key.
    private static IEnumerable<int> Numbers(SettingSource source, string list, IReadOnlyList<string> members) =>
        from setting in source.Settings
        where setting.Value is not null && IsEntry(list, setting.Key)
        let colon = setting.Key.LastIndexOf(':')
        where members.Contains(setting.Key[(colon + 1)..], StringComparer.OrdinalIgnoreCase)
        select IndexIn(list, setting.Key[..colon])!.Value;

    private static bool IsIn(ReadOnlySpan<string> sections, string key)
    {
        foreach (var section in sections)
        {
            if (key.Equals(section, StringComparison.OrdinalIgnoreCase)) return true;
            if (key.StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    private static int? IndexIn(string list, string key) =>
        key.Length > list.Length + 1
        && key.StartsWith(list, StringComparison.OrdinalIgnoreCase)
        && key[list.Length] == ':'
        && int.TryParse(key.AsSpan(list.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : null;
}
