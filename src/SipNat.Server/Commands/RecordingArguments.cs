using System.CommandLine;
using System.Globalization;
using SipNat.Archive.Index;

namespace SipNat.Server.Commands;

/// <summary>How recordings are named and filtered, on the command line and in the API alike.</summary>
internal static class RecordingArguments
{
    public const string TimeFormat = "a date or time such as 2026-11-20 or 2026-11-20T14:30:00Z (UTC where no zone is given)";
    private const int MaxPartyLength = 256;

    public static Argument<string> Id() => new("ID") { Description = "The id that 'recordings list' shows" };

    /// <summary>One or more of them.</summary>
    public static Argument<string[]> Ids() => new("ID") { Description = "Ids that 'recordings list' shows", Arity = ArgumentArity.OneOrMore };

    public static Option<DateTimeOffset?> Since { get; } = Time("--since", "Begun at this time or later");

    public static Option<DateTimeOffset?> Until { get; } = Time("--until", "Begun before this time");

    public static Option<string?> Party { get; } = new("--party")
    {
        Description = "Part of a participant's address or name",
        HelpName = "TEXT",
    };

    public static Option<int> Limit { get; } = LimitOption();

    public static RecordingFilter Filter(ParseResult arguments) => new()
    {
        Since = arguments.GetValue(Since),
        Until = arguments.GetValue(Until),
        Party = arguments.GetValue(Party),
        Limit = arguments.GetValue(Limit),
    };

    /// <summary>Reads a filter from named texts (null: not given); false with what is wrong.</summary>
    public static bool TryFilter(Func<string, string?> value, out RecordingFilter filter, out string problem)
    {
        (filter, problem) = (new(), "");
        DateTimeOffset? since = null, until = null;
        foreach (var name in (string[])["since", "until"])
        {
            if (value(name) is not { } text) continue;
            if (!TryTime(text, out var time))
            {
                problem = $"{name} must be {TimeFormat}.";
                return false;
            }

            if (name == "since") since = time;
            else until = time;
        }

        var limit = RecordingFilter.DefaultLimit;
        if (value("limit") is { } count && !TryLimit(count, out limit))
        {
            problem = $"limit must be a whole number from 1 to {RecordingFilter.MaxLimit}.";
            return false;
        }

        if (value("party") is { Length: > MaxPartyLength })
        {
            problem = $"party must have at most {MaxPartyLength} characters.";
            return false;
        }

        filter = new() { Since = since, Until = until, Party = value("party"), Limit = limit };
        return true;
    }

    private static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (TryTime(text, out var time)) return time;

            result.AddError($"{name} {text}: must be {TimeFormat}.");
            return null;
        },
    };

    private static Option<int> LimitOption() => new("--limit")
    {
        Description = $"How many at most, the newest first (1 to {RecordingFilter.MaxLimit})",
        HelpName = "N",
        DefaultValueFactory = _ => RecordingFilter.DefaultLimit,
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (TryLimit(text, out var limit)) return limit;

            result.AddError($"--limit {text}: must be a whole number from 1 to {RecordingFilter.MaxLimit}.");
            return RecordingFilter.DefaultLimit;
        },
    };

    private static bool TryLimit(string text, out int limit) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= RecordingFilter.MaxLimit;

    private static bool TryTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text,
        ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"],
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out time);
}
