using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;

namespace SipNat.Fuzz.Targets;

/// <summary>Reads one header value in every way in which somebody may.</summary>
internal static class SipValues
{
    /// <returns>A bit for each way in which it could be read.</returns>
    public static int Walk(ReadOnlySpan<byte> whole, SipHeader header, ReadOnlySpan<byte> value)
    {
        Invariant.Inside(whole, value, header.Name);
        Invariant.Holds(!value.IsEmpty, "An empty element of a list is skipped.", header.Name);
        var text = SipText.Unfold(value);
        Invariant.Holds(!text.AsSpan().ContainsAny('\r', '\n', '\0'), "An unfolded value is one line.", header.Name);
        WalkParameters(whole, SipParameters.After(value));
        return (header is SipHeader.Via && WalkVia(whole, value) ? 1 : 0)
            | (WalkAddress(whole, value) ? 2 : 0)
            | (WalkUri(whole, value) ? 4 : 0)
            | (header is SipHeader.Contact && WalkContact(value) ? 8 : 0)
            | (RetryAfter.TryRead(value, out _) ? 16 : 0)
            | (header is SipHeader.Reason && WalkReason(value) ? 32 : 0);
    }

    public static bool WalkUri(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> value)
    {
        if (!SipUriView.TryRead(value, out var view)) return false;

        Invariant.Inside(whole, view.User, "user");
        Invariant.Inside(whole, view.Host, "host");
        Invariant.Inside(whole, view.Headers, "URI headers");
        Invariant.Holds(view.Port is >= 0 and <= ushort.MaxValue, "A port has 16 bits.");
        WalkParameters(whole, view.Parameters);

        Invariant.Holds(SipUri.TryRead(value, out var uri), "A URI that can be viewed can be kept.");
        _ = uri!.TryGetAddress(out _) | uri.IsLooseRouter | (uri.Transport is null);
        Invariant.Holds(SipUri.TryParse(uri.Text, out var again) && again == uri && again.Port == uri.Port, "A URI is read as it is written.", uri.Text);
        return true;
    }

    private static bool WalkVia(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> value)
    {
        if (!Via.TryRead(value, out var via)) return false;

        Invariant.Inside(whole, via.Transport, "transport");
        Invariant.Inside(whole, via.Host, "sent-by");
        Invariant.Inside(whole, via.Branch, "branch");
        Invariant.Inside(whole, via.Received, "received");
        Invariant.Holds(via.RPort is >= 0 and <= ushort.MaxValue && via.Port is >= 0 and <= ushort.MaxValue, "A port has 16 bits.");
        _ = via.HasRPort | via.TryGetKeep(out _) | via.TryGetReflexive(out _) | via.TryGetSentBy(5060, out _);
        WalkParameters(whole, via.Parameters);
        return true;
    }

    private static bool WalkContact(ReadOnlySpan<byte> value)
    {
        if (!Contact.TryRead(value, out var contact)) return false;

        Invariant.Holds(contact.Preference is >= 0 and <= 1000 && contact.RegId is null or > 0, "Preference and reg-id are in their ranges.");
        Invariant.Holds(contact.Expires is null || (contact.Expires >= TimeSpan.Zero && contact.Expires <= SipSeconds.Longest), "A lease is in its range.");
        Invariant.Holds(contact.Instance is null or { Length: > 0 }, "An instance has a name.");
        return true;
    }

    private static bool WalkReason(ReadOnlySpan<byte> value)
    {
        if (!Reason.TryRead(value, out var reason)) return false;

        var isRead = Reason.TryRead(System.Text.Encoding.UTF8.GetBytes(reason.Value), out var again);
        Invariant.Holds(isRead && again == reason, "A reason is read as it is written.", reason.Value);
        return true;
    }

    private static bool WalkAddress(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> value)
    {
        if (!NameAddress.TryRead(value, out var address)) return false;

        Invariant.Inside(whole, address.DisplayName, "display name");
        Invariant.Inside(whole, address.Uri, "URI");
        Invariant.Inside(whole, address.Tag, "tag");
        Invariant.Holds(!address.Uri.IsEmpty, "An address has a URI.");
        Invariant.Holds(!address.DisplayText.AsSpan().ContainsAny('\r', '\n', '\0'), "A display name is one line.");
        _ = address.HasFeature("src"u8);
        WalkParameters(whole, address.Parameters);
        WalkUri(whole, address.Uri);
        return true;
    }

    private static void WalkParameters(ReadOnlySpan<byte> whole, SipParameters parameters)
    {
        foreach (var parameter in parameters)
        {
            Invariant.Inside(whole, parameter.Name, "parameter");
            Invariant.Inside(whole, parameter.Value, "parameter's value");
            Invariant.Holds(!SipText.IsToken(parameter.Name) || parameters.TryGet(parameter.Name, out _), "A parameter is found by its name.");
        }
    }
}
