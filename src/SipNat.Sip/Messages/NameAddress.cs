using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>
/// A name-addr or addr-spec with its header parameters, viewed in place: the value of From, To, Contact, Route,
/// Record-Route, Refer-To and their kin (RFC 3261 §20.10, §25.1).
/// </summary>
public readonly ref struct NameAddress
{
    private NameAddress(ReadOnlySpan<byte> displayName, ReadOnlySpan<byte> uri, ReadOnlySpan<byte> parameters)
    {
        DisplayName = displayName;
        Uri = uri;
        Parameters = new(parameters);
    }

    /// <summary>As it arrived, with quotes and escapes; empty where there is none.</summary>
    public ReadOnlySpan<byte> DisplayName { get; }

    /// <summary>Without brackets, not yet read: any scheme, and <c>*</c> in the Contact of a REGISTER.</summary>
    public ReadOnlySpan<byte> Uri { get; }

    /// <summary>The header's own parameters; those inside the brackets belong to the URI.</summary>
    public SipParameters Parameters { get; }

    /// <summary>Empty where there is none.</summary>
    public ReadOnlySpan<byte> Tag => Parameters.TryGet("tag"u8, out var value) ? value : default;

    /// <summary>The display name as a person would read it: no quotes, escapes resolved, control characters spaces.</summary>
    public string DisplayText => SipText.Unquote(DisplayName);

    /// <summary>Reads one value; false for an unterminated quote or bracket, or an empty URI.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out NameAddress address)
    {
        address = default;
        value = SipText.Trim(value);
        if (!TryTakeDisplayName(ref value, out var displayName)) return false;

        if (value is not [(byte)'<', .. var inner]) return TryReadAddrSpec(value, out address);

        var closing = inner.IndexOf((byte)'>');
        if (closing < 0) return false;

        var uri = SipText.Trim(inner[..closing]);
        var parameters = SipText.TrimStart(inner[(closing + 1)..]);
        if (uri.IsEmpty || parameters is not ([] or [(byte)';', ..])) return false;

        address = new(displayName, uri, parameters);
        return true;
    }

    /// <summary>
    /// Whether a feature tag such as <c>+sip.src</c> is given, behind the brackets or inside them: vendors write both,
    /// and leave its prefix out.
    /// </summary>
    /// <param name="tag">Without prefix: <c>src</c>, <c>srs</c>.</param>
    public bool HasFeature(ReadOnlySpan<byte> tag) =>
        HasFeature(Parameters, tag) || (SipUriView.TryRead(Uri, out var uri) && HasFeature(uri.Parameters, tag));

    private static bool HasFeature(SipParameters parameters, ReadOnlySpan<byte> tag)
    {
        foreach (var parameter in parameters)
        {
            var name = parameter.Name;
            if (name is [(byte)'+', .. var withoutPlus]) name = withoutPlus;
            if (name.Length > 4 && Ascii.EqualsIgnoreCase(name[..4], "sip."u8)) name = name[4..];
            if (Ascii.EqualsIgnoreCase(name, tag)) return true;
        }

        return false;
    }

    private static bool TryTakeDisplayName(scoped ref ReadOnlySpan<byte> value, out ReadOnlySpan<byte> displayName)
    {
        displayName = default;
        if (value is [(byte)'"', ..])
        {
            var length = SipText.QuotedLength(value);
            if (length < 0) return false;

            displayName = value[..length];
            value = SipText.TrimStart(value[length..]);
            return value is [(byte)'<', ..];
        }

        // Names that are not tokens should be quoted; many are not (RFC 4475 §3.1.2.15 lets them pass).
        var bracket = value.IndexOf((byte)'<');
        if (bracket <= 0) return true;

        displayName = SipText.TrimEnd(value[..bracket]);
        value = value[bracket..];
        return true;
    }

    // Without brackets every parameter is the header's (RFC 3261 §20.10).
    private static bool TryReadAddrSpec(ReadOnlySpan<byte> value, out NameAddress address)
    {
        var semicolon = value.IndexOf((byte)';');
        var uri = SipText.TrimEnd(semicolon < 0 ? value : value[..semicolon]);
        address = new(default, uri, semicolon < 0 ? default : value[semicolon..]);
        return !uri.IsEmpty && !uri.ContainsAny(" \t\r\n>\""u8);
    }
}
