using SipNat.Sip.Dialogs;

namespace SipNat.Endpoint.Sessions;

/// <summary>The dialog that a Replaces header names (RFC 3891 §6.1), as its receiver knows it.</summary>
internal static class ReplacedDialog
{
    /// <summary>False where there is no Call-ID.</summary>
    public static bool TryRead(string value, out DialogKey dialog)
    {
        var parts = value.Split(';', StringSplitOptions.TrimEntries);
        dialog = new(parts[0], ParameterOf(parts, "to-tag"), ParameterOf(parts, "from-tag"));
        return parts[0].Length > 0;
    }

    private static string ParameterOf(string[] parts, string name)
    {
        foreach (var part in parts.Skip(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && part.AsSpan(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return part[(equals + 1)..].Trim();
        }

        return string.Empty;
    }
}
