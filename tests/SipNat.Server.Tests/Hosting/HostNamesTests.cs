using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Endpoint.Dns;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Tests.Hosting;

public sealed class HostNamesTests
{
    private static readonly HostName Stun = new("stun.example", 3478);
    private static readonly HostName Literal = new("2001:db8::1", 3479);

    private Func<string, IPAddress[]> _answer = _ => [];

    [Fact]
    public async Task Addresses_are_known_without_a_lookup_and_names_after_it()
    {
        var names = Create(Stun, Literal, Stun);
        _answer = host => host == "stun.example" ? [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::2")] : throw new InvalidOperationException(host);
        Assert.Equal([TransportAddress.Parse("[2001:db8::1]:3479")], names[Literal]);
        Assert.Empty(names[Stun]);

        Assert.True(await names.ResolveAsync(TestContext.Current.CancellationToken));

        Assert.Equal([TransportAddress.Parse("192.0.2.1:3478"), TransportAddress.Parse("[2001:db8::2]:3478")], names[Stun]);
    }

    [Fact]
    public async Task A_failed_or_empty_lookup_leaves_what_was_known()
    {
        var names = Create(Stun);
        _answer = _ => [IPAddress.Parse("192.0.2.1")];
        await names.ResolveAsync(TestContext.Current.CancellationToken);

        _answer = _ => throw new SocketException((int)SocketError.HostNotFound);
        Assert.False(await names.ResolveAsync(TestContext.Current.CancellationToken));
        _answer = _ => [];
        Assert.False(await names.ResolveAsync(TestContext.Current.CancellationToken));

        Assert.Equal([TransportAddress.Parse("192.0.2.1:3478")], names[Stun]);
    }

    [Fact]
    public async Task The_same_addresses_in_another_order_are_no_change()
    {
        var names = Create(Stun);
        _answer = _ => [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2")];
        Assert.True(await names.ResolveAsync(TestContext.Current.CancellationToken));
        _answer = _ => [IPAddress.Parse("192.0.2.2"), IPAddress.Parse("192.0.2.1")];
        Assert.False(await names.ResolveAsync(TestContext.Current.CancellationToken));
        _answer = _ => [IPAddress.Parse("192.0.2.2")];
        Assert.True(await names.ResolveAsync(TestContext.Current.CancellationToken));
    }

    // RFC 8489 §8: a domain without records has no STUN server, whatever address it has.
    [Fact]
    public async Task Domains_that_may_have_servers_are_asked_for_their_records_alone_and_nobody_waits_for_them()
    {
        var domain = new HostName("provider.example", 3478) { Service = ServiceKind.Stun, IsOptional = true };
        IReadOnlyList<LocatedServer> servers = [];
        var names = new HostNames([domain], TimeProvider.System, NullLogger<HostNames>.Instance)
        {
            Lookup = (host, _) => throw new InvalidOperationException(host),
            Locate = (_, _) => Task.FromResult(servers),
        };
        Assert.False(await names.ResolveAsync(TestContext.Current.CancellationToken));
        Assert.False(await names.DiscoverAsync(TestContext.Current.CancellationToken));
        Assert.Empty(names[domain]);

        servers = [new(TransportProtocol.Udp, TransportAddress.Parse("192.0.2.7:3479"))];
        Assert.False(await names.ResolveAsync(TestContext.Current.CancellationToken));
        Assert.True(await names.DiscoverAsync(TestContext.Current.CancellationToken));

        Assert.Equal([TransportAddress.Parse("192.0.2.7:3479")], names[domain]);
    }

    private HostNames Create(params HostName[] names) => new(names, TimeProvider.System, NullLogger<HostNames>.Instance)
    {
        Lookup = (host, _) => Task.FromResult(_answer(host)),
    };
}
