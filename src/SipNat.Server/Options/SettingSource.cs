namespace SipNat.Server.Options;

/// <summary>One place that settings come from, flattened: <c>Sip:Listen:0</c> to its text. Keys ignore case.</summary>
/// <param name="Name">For messages: the file's path, "environment" or "--set".</param>
internal sealed record SettingSource(string Name, IReadOnlyDictionary<string, string?> Settings);

/// <summary>A setting and where it was found.</summary>
internal readonly record struct Setting(string Key, string Value, string Source);

/// <summary>A value, or what would have been right.</summary>
internal readonly record struct Parsed<T>(T Value, string? Problem)
{
    public static implicit operator Parsed<T>(T value) => new(value, null);
}

internal static class Parsed
{
    /// <param name="problem">What would be right, as the second half of "key = value: …".</param>
    public static Parsed<T> Not<T>(string problem) => new(default!, problem);
}
