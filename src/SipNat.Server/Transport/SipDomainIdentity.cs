using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using SipNat.Server.Hosting;
using SipNat.Sip.Messages;

namespace SipNat.Server.Transport;

/// <summary>
/// Which SIP domains a certificate is for (RFC 5922 §7.1): the hosts of its SIP URIs; without any its DNS names; without
/// any alternative name its common name. A URI with a user is a person's and no domain's. Names are compared whole and in
/// any case of letters, and a wildcard stands for nothing but itself (§7.2). A host that is an address needs that address.
/// </summary>
internal sealed class SipDomainIdentity
{
    private const string AlternativeNameOid = "2.5.29.17";
    private const string CommonNameOid = "2.5.4.3";

    // Of a longer list the rest is not looked at.
    private const int MaxNames = 100;
    private const int MaxShown = 6;
    private const int MaxShownLength = 64;

    private static readonly Asn1Tag DnsName = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UniformResourceIdentifier = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag IPAddressName = new(TagClass.ContextSpecific, 7);

    private readonly List<string> _uriDomains = [];
    private readonly List<string> _dnsNames = [];
    private readonly List<IPAddress> _addresses = [];
    private string? _commonName;

    private SipDomainIdentity()
    {
    }

    private IReadOnlyList<string> Domains => _uriDomains.Count > 0 ? _uriDomains : _commonName is { } name ? [name] : _dnsNames;

    public static SipDomainIdentity Of(X509Certificate2 certificate)
    {
        var identity = new SipDomainIdentity();
        if (certificate.Extensions[AlternativeNameOid] is { } names)
        {
            identity.TakeNames(names.RawData);
            return identity;
        }

        identity._commonName = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .FirstOrDefault(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonNameOid)?.GetSingleElementValue();
        return identity;
    }

    public bool IsFor(string name) => IPAddress.TryParse(name, out var address)
        ? _addresses.Contains(address)
        : Domains.Contains(name.TrimEnd('.'), StringComparer.OrdinalIgnoreCase);

    /// <summary>Some of its names, fit to be shown.</summary>
    public override string ToString()
    {
        IReadOnlyList<string> all = [.. Domains, .. _addresses.Select(a => a.ToString())];
        if (all.Count == 0) return "no domain";

        var shown = string.Join(", ", all.Take(MaxShown).Select(name => SafeText.Escape(name.Length > MaxShownLength ? $"{name[..MaxShownLength]}…" : name)));
        return all.Count > MaxShown ? $"{shown} and {all.Count - MaxShown} more" : shown;
    }

    // RFC 5280 §4.2.1.6: what cannot be read names nobody.
    private void TakeNames(byte[] extension)
    {
        try
        {
            var reader = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
            for (var i = 0; i < MaxNames && reader.HasData; i++) TakeName(reader);
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException)
        {
            _uriDomains.Clear();
            _dnsNames.Clear();
            _addresses.Clear();
        }
    }

    private void TakeName(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag == DnsName) _dnsNames.Add(reader.ReadCharacterString(UniversalTagNumber.IA5String, tag));
        else if (tag == UniformResourceIdentifier) TakeUri(reader.ReadCharacterString(UniversalTagNumber.IA5String, tag));
        else if (tag == IPAddressName && reader.ReadOctetString(tag) is { Length: 4 or 16 } bytes) _addresses.Add(new(bytes));
        else if (tag != IPAddressName) reader.ReadEncodedValue();
    }

    private void TakeUri(string text)
    {
        if (SipUri.TryRead(Encoding.ASCII.GetBytes(text), out var uri) && uri is { Scheme: SipUriScheme.Sip, User: "", Host.Length: > 0 }) _uriDomains.Add(uri.Host);
    }
}
