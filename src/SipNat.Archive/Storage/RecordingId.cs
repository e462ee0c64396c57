using System.Buffers;

namespace SipNat.Archive.Storage;

/// <summary>The rule for the ids of recordings: they name folders, so nothing else may get through.</summary>
public static class RecordingId
{
    public const int MinLength = 8;
    public const int MaxLength = 64;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Whether an id is 8 to 64 ASCII letters, digits and hyphens.</summary>
    public static bool IsValid(ReadOnlySpan<char> id) =>
        id.Length is >= MinLength and <= MaxLength && !id.ContainsAnyExcept(Allowed);
}
