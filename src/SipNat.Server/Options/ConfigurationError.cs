namespace SipNat.Server.Options;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Key">The key, or the argument or file that was at fault.</param>
/// <param name="Value">What it was set to; null where that says nothing.</param>
/// <param name="Source">Where it was set: a file, an environment variable, --set; null where it was not set at all.</param>
/// <param name="Problem">What would be right.</param>
public sealed record ConfigurationError(string Key, string? Value, string? Source, string Problem)
{
    public override string ToString()
    {
        var value = Value is null ? "" : $" = {Value}";
        var source = Source is null ? "" : $" ({Source})";
        return $"{Key}{value}{source}: {Problem}";
    }
}

/// <summary>The configuration is not valid. Ends with exit code 2.</summary>
public sealed class ConfigurationException : Exception
{
    public ConfigurationException()
    {
    }

    public ConfigurationException(string message)
        : base(message)
    {
    }

    public ConfigurationException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public ConfigurationException(IReadOnlyList<ConfigurationError> errors)
        : base(string.Join('\n', errors)) => Errors = errors;

    public IReadOnlyList<ConfigurationError> Errors { get; } = [];
}
