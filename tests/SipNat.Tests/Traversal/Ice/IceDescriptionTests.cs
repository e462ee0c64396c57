using System.Globalization;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Ice;

public sealed class IceDescriptionTests
{
    private static readonly string[] Example = // RFC 8839 §4.2.1.2, with the session's lines first
    [
        "ice-options:ice2",
        "ice-pwd:asd88fgpdd777uzjYhagZg",
        "ice-ufrag:8hhY",
        "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
        "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
    ];

    [Fact]
    public void The_example_of_the_RFC_is_read()
    {
        var description = Read(Example)!;

        Assert.Equal(new IceCredentials("8hhY", "asd88fgpdd777uzjYhagZg"), description.Credentials);
        Assert.Equal(["ice2"], description.Options);
        Assert.Equal(["203.0.113.141:8998", "192.0.2.3:45664"], description.Candidates.Select(candidate => candidate.Address.ToString()));
        Assert.Equal((false, true, 0), (description.IsLite, description.IsComplete, description.PassedOver));
        Assert.True(description.Confirms(1, TransportAddress.Parse("192.0.2.3:45664")));
        Assert.False(description.Confirms(1, TransportAddress.Parse("192.0.2.99:45664")));
        Assert.Equal("192.0.2.3:45664", description.DefaultOf(1)?.Address.ToString());
        Assert.Null(description.DefaultOf(2));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var description = Read([.. Example, "ice-lite", "ice-options:trickle", "end-of-candidates", "remote-candidates:1 192.0.2.1 3478 2 2001:db8::1 3479"])!;

        var again = Read([.. IceDescriptionWriter.Write(description).Select(line => line.Value is null ? line.Name : $"{line.Name}:{line.Value}")])!;

        Assert.Equal(description.Candidates, again.Candidates);
        Assert.Equal(["ice2", "trickle"], again.Options);
        Assert.Equal([(1, TransportAddress.Parse("192.0.2.1:3478")), (2, TransportAddress.Parse("[2001:db8::1]:3479"))], again.RemoteCandidates);
        Assert.Equal((true, true), (again.IsLite, again.IsComplete));
    }

    [Fact]
    public void Of_a_peer_that_trickles_more_is_expected() =>
        Assert.False(Read("ice-ufrag:8hhY", "ice-pwd:asd88fgpdd777uzjYhagZg", "ice-options:trickle ice2")!.IsComplete);

    [Fact]
    public void The_lines_of_the_medium_replace_those_of_the_session() => Assert.Equal(
        "abcd", Read("ice-ufrag:8hhY", "ice-pwd:asd88fgpdd777uzjYhagZg", "ice-ufrag:abcd")!.Credentials.UserFragment);

    [Theory]
    [InlineData("ice-ufrag:8hhY")]
    [InlineData("ice-pwd:asd88fgpdd777uzjYhagZg")]
    [InlineData("ice-ufrag:8hh", "ice-pwd:asd88fgpdd777uzjYhagZg")]
    [InlineData("ice-ufrag:8hhY", "ice-pwd:asd88fgpdd777uzjYhagZ")]
    [InlineData("ice-ufrag:8h:Y", "ice-pwd:asd88fgpdd777uzjYhagZg")]
    [InlineData("sendrecv")]
    public void Without_good_credentials_there_is_no_ICE(params string[] lines) => Assert.Null(Read(lines));

    [Fact]
    public void Of_thousands_of_candidates_a_hundred_are_kept_and_the_rest_is_counted()
    {
        var lines = Enumerable.Range(0, 5000).Select(i => string.Create(CultureInfo.InvariantCulture, $"candidate:1 1 UDP {5001 - i} 192.0.2.1 {1024 + i} typ host"));

        var description = Read([.. Example[..3], .. lines])!;

        Assert.Equal((100, 4900), (description.Candidates.Count, description.PassedOver));
        Assert.Equal(1123, description.Candidates[^1].Address.Port);
    }

    [Fact]
    public void Names_and_other_transports_are_counted_and_accuse_nobody()
    {
        var description = Read([.. Example[..3], "candidate:1 1 UDP 1 0f4712db.local 5 typ host", "candidate:1 1 TCP 1 192.0.2.1 9 typ host"])!;

        Assert.Equal((0, 2), (description.Candidates.Count, description.PassedOver));
        Assert.True(description.Confirms(1, TransportAddress.Parse("192.0.2.99:45664")));
    }

    private static IceDescription? Read(params string[] lines)
    {
        var reader = new IceDescriptionReader();
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            reader.TryAdd(colon < 0 ? line : line[..colon], colon < 0 ? "" : line[(colon + 1)..]);
        }

        return reader.TryRead(out var description) ? description : null;
    }
}
