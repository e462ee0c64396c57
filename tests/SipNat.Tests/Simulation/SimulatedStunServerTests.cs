using System.Globalization;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class SimulatedStunServerTests
{
    private const string TransactionId = "0102030405060708090A0B0C";
    private static readonly TransportAddress Primary = TransportAddress.Parse("198.51.100.1:3478");

    [Fact]
    public void A_binding_request_is_answered_with_the_mapped_address_plain_and_masked()
    {
        var (network, host, client) = Client();
        SimulatedStunServer.AddTo(network, "198.51.100.1:3478");

        Send(network, host, client, Primary, $"000100002112A442{TransactionId}");

        var answer = Assert.Single(client.Received);
        // 203.0.113.1:30000 is CB007101 and 7530; masked with 2112A442 it is EA12D543 and 5422.
        Assert.Equal(
            $"0101003C2112A442{TransactionId}"
            + "000100080001" + "7530" + "CB007101"
            + "002000080001" + "5422" + "EA12D543"
            + "802B00080001" + "0D96" + "C6336401"
            + "8022000A" + "73696D756C6174696F6E" + "0000"
            + "80280004",
            Convert.ToHexString(answer.Bytes)[..^8]);
        Assert.Equal(Crc32.Compute(answer.Bytes.AsSpan(..^8)) ^ 0x5354554E, uint.Parse(Convert.ToHexString(answer.Bytes)[^8..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(Primary, answer.From);
    }

    // RFC 5780 §4.4 and §7.2: the flags of CHANGE-REQUEST, and the socket that answers.
    [Theory]
    [InlineData(0x0, "198.51.100.1:3478")]
    [InlineData(0x2, "198.51.100.1:3479")]
    [InlineData(0x4, "198.51.100.2:3478")]
    [InlineData(0x6, "198.51.100.2:3479")]
    public void A_server_with_two_addresses_answers_from_the_one_that_is_asked_for(int flags, string origin)
    {
        var (network, host, client) = Client(NatOptions.FullCone);
        SimulatedStunServer.AddTo(network, "198.51.100.1:3478", "198.51.100.2:3479");

        Send(network, host, client, Primary, $"000100082112A442{TransactionId}000300040000000{flags}");

        var answer = Assert.Single(client.Received);
        Assert.Equal(TransportAddress.Parse(origin), answer.From);
        // OTHER-ADDRESS: 198.51.100.2:3479.
        Assert.Contains("802C000800010D97C6336402", Convert.ToHexString(answer.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_filtering_nat_keeps_the_answer_of_the_other_address_out()
    {
        var (network, host, client) = Client(NatOptions.PortRestricted);
        var server = SimulatedStunServer.AddTo(network, "198.51.100.1:3478", "198.51.100.2:3479");

        Send(network, host, client, Primary, $"000100082112A442{TransactionId}0003000400000006");

        Assert.Empty(client.Received);
        Assert.Equal((1, 1L), (server.RequestCount, network.CountDropped(DropReason.Filtered)));
    }

    [Fact]
    public void A_silent_server_counts_and_a_slow_one_answers_late()
    {
        var (network, host, client) = Client();
        var server = SimulatedStunServer.AddTo(network, "198.51.100.1:3478");

        server.IsSilent = true;
        Send(network, host, client, Primary, $"000100002112A442{TransactionId}");
        Assert.Empty(client.Received);

        (server.IsSilent, server.ResponseDelay) = (false, TimeSpan.FromMilliseconds(700));
        var asked = network.Now;
        Send(network, host, client, Primary, $"000100002112A442{TransactionId}");

        Assert.Equal(TimeSpan.FromMilliseconds(720), Assert.Single(client.Received).At - asked);
        Assert.Equal([TransportAddress.Parse("203.0.113.1:30000"), TransportAddress.Parse("203.0.113.1:30000")], server.Sources);
    }

    [Theory]
    [InlineData("")]
    [InlineData("000100002112A4420102030405060708090A0B")]
    [InlineData("000100042112A4420102030405060708090A0B0C")]
    [InlineData("00010000DEADBEEF0102030405060708090A0B0C")]
    [InlineData("001100002112A4420102030405060708090A0B0C")]
    public void What_is_not_a_binding_request_is_ignored(string datagram)
    {
        var (network, host, client) = Client();
        var server = SimulatedStunServer.AddTo(network, "198.51.100.1:3478");

        Send(network, host, client, Primary, datagram);

        Assert.Empty(client.Received);
        Assert.Equal(0, server.RequestCount);
    }

    private static (SimulatedNetwork Network, SimulatedHost Host, DatagramProbe Client) Client(NatOptions? options = null)
    {
        var network = new SimulatedNetwork(seed: 1);
        var nat = network.AddNat("203.0.113.1", (options ?? new()) with { PortAssignment = PortAssignment.Sequential, FirstPort = 30000 });
        var client = new DatagramProbe();
        return (network, network.AddHost("192.168.1.10:4000", client, nat), client);
    }

    private static void Send(SimulatedNetwork network, SimulatedHost host, DatagramProbe client, TransportAddress to, string hex)
    {
        host.Run(_ => client.Outbox.Add(client.Changes[0].Flow, to, Convert.FromHexString(hex)));
        network.RunFor(TimeSpan.FromSeconds(2));
        network.AssertNothingRented();
    }
}
