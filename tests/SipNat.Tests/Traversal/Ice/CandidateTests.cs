using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Ice;

public sealed class CandidateTests
{
    [Theory] // By hand from the formula of RFC 8445 §5.1.2.1; the first three are those of its §15 and of RFC 8839 §4.2
    [InlineData(CandidateType.Host, 65535, 1, 2130706431u)]
    [InlineData(CandidateType.ServerReflexive, 65535, 1, 1694498815u)]
    [InlineData(CandidateType.PeerReflexive, 65535, 1, 1862270975u)]
    [InlineData(CandidateType.Host, 65535, 2, 2130706430u)]
    [InlineData(CandidateType.Relayed, 65535, 1, 16777215u)]
    [InlineData(CandidateType.Relayed, 0, 256, 0u)]
    public void Priorities_are_those_of_the_formula(CandidateType type, int localPreference, int component, uint priority) =>
        Assert.Equal(priority, Candidate.PriorityOf(type, localPreference, component));

    [Theory] // RFC 8839 §5.1 and §4.2.1.2, and lines as other stacks send them
    [InlineData("2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998")]
    [InlineData("1 1 UDP 2130706431 203.0.113.141 8998 typ host")]
    [InlineData("1 1 UDP 2130706431 2001:db8:8101:3a55:4858:a2a9:22ff:99b9 45664 typ host")]
    [InlineData("H1 2 UDP 16777214 198.51.100.7 50000 typ relay raddr 192.0.2.3 rport 45664")]
    public void A_candidate_is_written_as_it_was_read(string line)
    {
        Assert.True(CandidateText.TryRead(line, out var candidate, out var defect));
        Assert.Equal(CandidateDefect.None, defect);
        Assert.Equal(line, CandidateText.Write(candidate!));
    }

    [Fact]
    public void A_candidate_has_what_its_line_says()
    {
        Assert.True(CandidateText.TryRead(
            "  842163049   2 udp 1677729535 203.0.113.9 46154 typ SRFLX raddr 10.0.17.99 rport 46154 generation 0 ufrag EEtu network-id 3", out var candidate, out _));

        Assert.Equal(
            new Candidate("842163049", 2, 1677729535, TransportAddress.Parse("203.0.113.9:46154"), CandidateType.ServerReflexive, TransportAddress.Parse("10.0.17.99:46154")),
            candidate);
    }

    [Fact]
    public void A_base_that_is_kept_private_is_written_as_unspecified_and_read_as_none()
    {
        var relayed = new Candidate("1", 1, 16777215, TransportAddress.Parse("198.51.100.7:50000"), CandidateType.Relayed);

        var line = CandidateText.Write(relayed);

        Assert.Equal("1 1 UDP 16777215 198.51.100.7 50000 typ relay raddr 0.0.0.0 rport 9", line);
        Assert.True(CandidateText.TryRead(line, out var read, out _));
        Assert.Equal(relayed, read);
    }

    [Theory]
    [InlineData("", CandidateDefect.Foundation)]
    [InlineData("a:b 1 UDP 1 192.0.2.3 1 typ host", CandidateDefect.Foundation)]
    [InlineData("123456789012345678901234567890123 1 UDP 1 192.0.2.3 1 typ host", CandidateDefect.Foundation)]
    [InlineData("1 0 UDP 1 192.0.2.3 1 typ host", CandidateDefect.Component)]
    [InlineData("1 257 UDP 1 192.0.2.3 1 typ host", CandidateDefect.Component)]
    [InlineData("1 1", CandidateDefect.Transport)]
    [InlineData("1 1 UDP 0 192.0.2.3 1 typ host", CandidateDefect.Priority)]
    [InlineData("1 1 UDP 2147483648 192.0.2.3 1 typ host", CandidateDefect.Priority)]
    [InlineData("1 1 UDP -1 192.0.2.3 1 typ host", CandidateDefect.Priority)]
    [InlineData("1 1 UDP 1 192.0.2.300 1 typ host", CandidateDefect.Address)]
    [InlineData("1 1 UDP 1 [2001:db8::1] 1 typ host", CandidateDefect.Address)]
    [InlineData("1 1 UDP 1 192.0.2.3 65536 typ host", CandidateDefect.Port)]
    [InlineData("1 1 UDP 1 192.0.2.3 1 host", CandidateDefect.Type)]
    [InlineData("1 1 UDP 1 192.0.2.3 1 typ direct", CandidateDefect.Type)]
    [InlineData("1 1 TCP 2105458943 192.0.2.3 9 typ host tcptype active", CandidateDefect.OtherTransport)]
    [InlineData("1 1 UDP 2113937151 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 54596 typ host", CandidateDefect.HostName)]
    public void What_is_no_candidate_of_ours_is_passed_over(string line, CandidateDefect expected)
    {
        Assert.False(CandidateText.TryRead(line, out var candidate, out var defect));
        Assert.Null(candidate);
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void No_truncation_of_a_line_throws()
    {
        const string Line = "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998";
        for (var length = 0; length < Line.Length; length++) CandidateText.TryRead(Line.AsSpan(0, length), out _, out _);
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        Assert.False(CandidateText.TryRead(new string('1', CandidateText.MaxLength + 1), out _, out var defect));
        Assert.Equal(CandidateDefect.TooLong, defect);
    }

    [Theory] // RFC 8421 §4: IPv6 before IPv4, and IPv4 among it by the share that it has
    [InlineData("6 4", "6 4")]
    [InlineData("4 6", "6 4")]
    [InlineData("6 6 6 4", "6 6 6 4")]
    [InlineData("6 6 6 6 4 4", "6 6 4 6 6 4")]
    [InlineData("4 4 6", "4 4 6")]
    [InlineData("4 4", "4 4")]
    [InlineData("6", "6")]
    [InlineData("", "")]
    public void Families_are_interleaved(string given, string expected)
    {
        var addresses = given.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(family => TransportAddress.Parse(family == "4" ? "192.0.2.1:1" : "[2001:db8::1]:1")).ToList();

        var preferences = LocalPreferences.Of(addresses);

        var order = Enumerable.Range(0, addresses.Count).OrderByDescending(i => preferences[i]).Select(i => addresses[i].IsIPv4 ? "4" : "6");
        Assert.Equal(expected, string.Join(' ', order));
        Assert.Equal(Enumerable.Range(0, addresses.Count).Select(i => 65535 - i), preferences.OrderDescending());
    }
}
