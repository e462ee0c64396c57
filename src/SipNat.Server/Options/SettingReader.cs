using System.Globalization;

namespace SipNat.Server.Options;

/// <summary>
/// Reads typed settings out of the sources and gathers every error. What is read is thereby known: a key that nobody
/// read is an error that names the nearest known one.
/// </summary>
internal sealed class SettingReader
{
    /// <summary>Entries of one list. Networks, listeners and servers are counted in dozens.</summary>
    public const int MaxListEntries = 1000;

    private readonly IReadOnlyList<SettingSource> _sources;
    private readonly string _baseDirectory;
    private readonly List<ConfigurationError> _errors = [];
    private readonly SortedSet<string> _scalars = new(StringComparer.OrdinalIgnoreCase);
    private readonly SortedSet<string> _lists = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="sources">From the lowest to the highest.</param>
    /// <param name="baseDirectory">Where relative paths begin; absolute.</param>
    public SettingReader(IReadOnlyList<SettingSource> sources, string baseDirectory) =>
        (_sources, _baseDirectory) = (sources, baseDirectory);

    public IReadOnlyList<SettingSource> Sources => _sources;

    public IReadOnlyList<ConfigurationError> Errors => _errors;

    /// <summary>Every key that was read so far; lists as <c>Sip:Listen:N</c>.</summary>
    public IEnumerable<string> KnownKeys => _scalars.Concat(_lists.Select(list => $"{list}:N"));

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

    public Parsed<string> Directory(string text) =>
        text.Length == 0 || text.Contains('\0') ? Parsed.Not<string>("must be the path of a folder.") : Rooted(text);

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

    /// <summary>The setting as the highest source has it; null where none has it.</summary>
    private Setting? Find(string key)
    {
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
        || (string.IsNullOrEmpty(value) && KnownKeys.Any(known => known.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase)));

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
