using System.Net;
using System.Security.Cryptography.X509Certificates;
using SipNat.Server.Transport;

namespace SipNat.Server.Tests.Transport;

/// <summary>Which domains a certificate is for (RFC 5922 §7.1, §7.2); the certificates are written by the framework.</summary>
public sealed class SipDomainIdentityTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    // A SIP URI is an identity, and with one the DNS names are none.
    [InlineData("uri:sip:example.com dns:other.example", "example.com", true)]
    [InlineData("uri:SIP:Example.COM", "example.com", true)]
    [InlineData("uri:sip:example.com dns:other.example", "other.example", false)]
    // A URI with a user is a person, one of another scheme no SIP domain: both leave the DNS names as they are.
    [InlineData("uri:sip:alice@example.com", "example.com", false)]
    [InlineData("uri:sip:alice@example.com dns:example.com", "example.com", true)]
    [InlineData("uri:sips:example.com", "example.com", false)]
    [InlineData("uri:https://example.com dns:example.com", "example.com", true)]
    // Whole names in any case of letters; no suffix, and no wildcard but to the letter.
    [InlineData("dns:example.com", "EXAMPLE.com", true)]
    [InlineData("dns:example.com", "example.com.", true)]
    [InlineData("dns:example.com", "sip.example.com", false)]
    [InlineData("dns:*.example.com", "sip.example.com", false)]
    [InlineData("dns:*.example.com", "*.example.com", true)]
    [InlineData("dns:a.example dns:b.example", "b.example", true)]
    // The common name counts only where there is no alternative name of any kind.
    [InlineData("cn:example.com", "example.com", true)]
    [InlineData("cn:example.com dns:other.example", "example.com", false)]
    [InlineData("cn:example.com mail:alice@example.com", "example.com", false)]
    [InlineData("ip:192.0.2.1", "192.0.2.1", true)]
    [InlineData("dns:192.0.2.1", "192.0.2.1", false)]
    [InlineData("ip:2001:db8::1", "2001:db8::1", true)]
    [InlineData("", "example.com", false)]
    public void A_certificate_is_for_a_domain_by_these_names_and_no_others(string names, string domain, bool isFor)
    {
        using var certificate = Issue(names);

        Assert.Equal(isFor, SipDomainIdentity.Of(certificate).IsFor(domain));
    }

    [Theory]
    [InlineData("uri:sip:example.com dns:other.example", "example.com")]
    [InlineData("dns:a.example dns:*.b.example ip:192.0.2.1", "a.example, *.b.example, 192.0.2.1")]
    [InlineData("mail:alice@example.com", "no domain")]
    [InlineData("dns:1.example dns:2.example dns:3.example dns:4.example dns:5.example dns:6.example dns:7.example dns:8.example", "1.example, 2.example, 3.example, 4.example, 5.example, 6.example and 2 more")]
    public void What_it_is_for_can_be_shown(string names, string shown)
    {
        using var certificate = Issue(names);

        Assert.Equal(shown, SipDomainIdentity.Of(certificate).ToString());
    }

    [Fact]
    public void An_alternative_name_that_cannot_be_read_is_for_nobody()
    {
        byte[] written = [0x30, 0x0D, 0x82, 0x0B, .. "example.com"u8];
        for (var length = 0; length < written.Length; length++)
        {
            using var certificate = _authority.IssueFor("CN=example.com", new X509Extension("2.5.29.17", written[..length], critical: false));
            Assert.False(SipDomainIdentity.Of(certificate).IsFor("example.com"));
        }

        using var whole = _authority.IssueFor("CN=other.example", new X509Extension("2.5.29.17", written, critical: false));
        Assert.True(SipDomainIdentity.Of(whole).IsFor("example.com"));
    }

    private X509Certificate2 Issue(string names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        var (subject, hasNames) = ("O=Test", false);
        foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (kind, value) = (name[..name.IndexOf(':')], name[(name.IndexOf(':') + 1)..]);
            if (kind == "cn")
            {
                subject = $"CN={value}";
                continue;
            }

            hasNames = true;
            if (kind == "uri") builder.AddUri(new(value));
            else if (kind == "dns") builder.AddDnsName(value);
            else if (kind == "ip") builder.AddIpAddress(IPAddress.Parse(value));
            else builder.AddEmailAddress(value);
        }

        return hasNames ? _authority.IssueFor(subject, builder.Build()) : _authority.IssueFor(subject);
    }
}
