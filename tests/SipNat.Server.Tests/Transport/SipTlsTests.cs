using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Tests.MediaEngine;
using SipNat.Server.Transport;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

/// <summary>Connections with TLS to SIP servers: who they have to be, and who we are to them.</summary>
public sealed class SipTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly EchoCore _core = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData("sip.example", null, null)]
    [InlineData("*.example", null, "its certificate is for *.example, and not for sip.example. A certificate with the URI sip:sip.example or the DNS name sip.example would be right (RFC 5922: no wildcards); where the provider has another one, Accounts:N:CertificateName is what it says, to the letter")]
    [InlineData("*.example", "*.example", null)]
    [InlineData("other.example", null, "its certificate is for other.example, and not for sip.example. A certificate with the URI sip:sip.example or the DNS name sip.example would be right (RFC 5922: no wildcards); where the provider has another one, Accounts:N:CertificateName is what it says, to the letter")]
    public async Task A_certificate_opens_a_connection_only_where_it_is_the_domain_s(string certified, string? certificateName, string? problem)
    {
        using var listener = new ScriptedTurnListener(_authority.Issue(certified));
        await using var host = Connect(listener.Address, Account() with { Ca = _authority.File, CertificateName = certificateName });
        using var server = await listener.AcceptAsync(Cancel);

        Assert.Equal($"{(problem is null ? "Opened" : "Refused")} Tls {listener.Address}", await _core.NextAsync());
        Assert.Equal(problem, _core.Reason);
    }

    [Fact]
    public async Task An_authority_that_nobody_named_is_told_with_the_key_that_would()
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("sip.example"));
        await using var host = Connect(listener.Address, Account());
        await listener.AcceptAsync(Cancel);

        Assert.Equal($"Refused Tls {listener.Address}", await _core.NextAsync());
        Assert.Matches("^nobody who is trusted vouches for its certificate \\(.+\\); Accounts:N:Ca names the authority where it is one of its own$", _core.Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_asks_is_shown_the_certificate_of_the_account(bool hasCertificate)
    {
        var files = _authority.Write(_authority.Issue("sip.example"));
        var server = TlsServer.From(files with { ClientCa = _authority.File }, TimeProvider.System, NullLoggerFactory.Instance);
        await using var running = RunningHost.Start(RunningHost.AnyTls, connections: new() { Server = server });
        var account = Account() with { Ca = _authority.File };
        var at = running.Host.Bound.Single().Address;

        await using var host = Connect(at, hasCertificate ? account with { Certificate = files.Certificate, Key = files.Key } : account);

        Assert.Equal($"Opened Tls {at}", await _core.NextAsync());
        if (hasCertificate) Assert.StartsWith("Opened Tls", await running.Core.NextAsync(), StringComparison.Ordinal);
        // Of TLS 1.3 a client hears only afterwards that its certificate is missing.
        else Assert.Equal($"Closed Tls {at}", await _core.NextAsync());
    }

    internal static AccountSettings Account() => new()
    {
        Name = "a",
        Uri = SipUri.Parse("sip:a@sip.example"),
        Username = "a",
        Password = "secret",
        Registrar = SipUri.Parse("sip:sip.example"),
    };

    private CoreHost Connect(TransportAddress server, AccountSettings account)
    {
        var trust = TlsTrust.From(new SipNatOptions { Accounts = [account] }, TimeProvider.System, NullLoggerFactory.Instance);
        var host = new CoreHost(_core, new ServerClock(TimeProvider.System), new FlowIds(), new(), NullLoggerFactory.Instance, new() { Trust = trust });
        host.Post(_ => _core.Request(new(FlowRequestKind.Connect, default, TransportProtocol.Tls, server) { TlsName = "sip.example" }));
        return host;
    }
}
