using System.Buffers.Text;

namespace SipNat.Sip.Messages;

/// <summary>One value of Contact with the parameters that registrations and redirections use (RFC 3261 §20.10, RFC 5626 §4).</summary>
public sealed record Contact
{
    /// <summary>Values of one message that are read.</summary>
    public const int MaxContacts = 64;

    public required SipUri Uri { get; init; }

    /// <summary>How long the binding lasts; null where the value does not say.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>0–1000 thousandths; the highest first. Without <c>q</c> 1000 (RFC 3261 §20.10).</summary>
    public int Preference { get; init; } = 1000;

    /// <summary><c>+sip.instance</c> without quotes and brackets: <c>urn:uuid:…</c>; null where there is none.</summary>
    public string? Instance { get; init; }

    /// <summary>Which flow of the instance it is; null where there is none.</summary>
    public int? RegId { get; init; }

    /// <summary>The public GRUU that the registrar has given to the instance, as it wrote it (RFC 5627 §5.3); null where there is none that can be used.</summary>
    public string? PubGruu { get; init; }

    /// <summary>Every value with a URI, in order; <c>*</c> is none.</summary>
    public static IReadOnlyList<Contact> ReadAll(SipMessage message)
    {
        var contacts = new List<Contact>();
        foreach (var value in message.Values(SipHeader.Contact))
        {
            if (contacts.Count < MaxContacts && TryRead(value, out var contact)) contacts.Add(contact);
        }

        return contacts;
    }

    /// <summary>Reads one value. A parameter that cannot be read is as if it were not there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out Contact contact)
    {
        contact = null!;
        if (!NameAddress.TryRead(value, out var address) || !SipUri.TryRead(address.Uri, out var uri)) return false;

        var parameters = address.Parameters;
        contact = new()
        {
            Uri = uri,
            Expires = parameters.TryGet("expires"u8, out var expires) && SipSeconds.TryRead(expires, out var seconds) ? seconds : null,
            Preference = parameters.TryGet("q"u8, out var q) ? Thousandths(q) : 1000,
            Instance = parameters.TryGet("+sip.instance"u8, out var instance) ? Urn(instance) : null,
            PubGruu = parameters.TryGet("pub-gruu"u8, out var gruu) ? Gruu(gruu) : null,
            RegId = parameters.TryGet("reg-id"u8, out var id) && Utf8Parser.TryParse(id, out int number, out var digits) && digits == id.Length && number > 0 ? number : null,
        };
        return true;
    }

    // qvalue of RFC 3261 §25.1: 0 or 1, with up to three decimals.
    private static int Thousandths(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out decimal q, out var read) && read == text.Length && q is >= 0 and <= 1 ? (int)(q * 1000) : 1000;

    // It becomes a Contact of ours: a SIP URI with a gr parameter (RFC 5627 §3.1), and nothing that could end its brackets.
    private static string? Gruu(ReadOnlySpan<byte> value)
    {
        var text = SipText.Unquote(value);
        return SipUri.TryParse(text, out var uri) && uri is { Scheme: SipUriScheme.Sip or SipUriScheme.Sips } && uri.TryGetParameter("gr", out _) && !text.AsSpan().ContainsAny("<>\"? ") ? text : null;
    }

    private static string? Urn(ReadOnlySpan<byte> value)
    {
        var text = SipText.Unquote(value).Trim();
        return text is ['<', .. var inner, '>'] ? inner : text.Length > 0 ? text : null;
    }
}
