using SipNat.Endpoint;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>STUN on SIP sockets: who is told how it is seen.</summary>
public sealed class BindingRequestTests
{
    private static readonly FlowId Udp = new(1);
    private static readonly FlowId Tcp = new(2);
    private static readonly TransportAddress Friend = TransportAddress.Parse("192.0.2.1:32853");
    private static readonly TransportAddress Stranger = TransportAddress.Parse("198.51.100.1:32853");
    private static readonly byte[] Request = Convert.FromHexString("000100002112A4420102030405060708090A0B0C");

    private readonly SignallingCore _core = new(new() { AllowedNetworks = [NetworkPrefix.Parse("192.0.2.0/24")] }, new(), new Random(1));

    public BindingRequestTests()
    {
        _core.HandleFlow(default, Udp, new(FlowChangeKind.Opened, TransportProtocol.Udp, TransportAddress.Parse("192.0.2.9:5060"), default));
        _core.HandleFlow(default, Tcp, new(FlowChangeKind.Opened, TransportProtocol.Tcp, TransportAddress.Parse("192.0.2.9:5060"), Friend));
        Sent();
    }

    [Fact]
    public void Who_may_record_is_answered_by_the_socket_that_was_asked()
    {
        _core.HandleDatagram(new(1), Udp, Friend, Request);

        Assert.Equal([(Udp, Friend, "0101000C2112A4420102030405060708090A0B0C002000080001A147E112A643")], Sent());
        Assert.Equal(1, _core.BindingsAnswered);
    }

    [Fact]
    public void Strangers_connections_and_other_messages_are_not_answered()
    {
        byte[] indication = [0x00, 0x11, .. Request[2..]];
        byte[] allocate = [0x00, 0x03, .. Request[2..]];

        _core.HandleDatagram(new(1), Udp, Stranger, Request);
        _core.HandleDatagram(new(1), Tcp, Friend, Request);
        _core.HandleDatagram(new(1), Udp, Friend, indication);
        _core.HandleDatagram(new(1), Udp, Friend, allocate);
        _core.HandleDatagram(new(1), Udp, Friend, Request.AsSpan(0, 19));

        Assert.Empty(Sent());
        Assert.Equal(0, _core.BindingsAnswered);
    }

    [Fact]
    public void An_answer_allocates_nothing()
    {
        var now = default(Instant);

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                now += TimeSpan.FromMilliseconds(100);
                _core.HandleDatagram(now, Udp, Friend, Request);
                while (_core.Outbox.TryTake(out var transmit)) _core.Outbox.Release(transmit);
            }
        }));
        Assert.Equal(120, _core.BindingsAnswered);
    }

    private List<(FlowId Flow, TransportAddress To, string Bytes)> Sent()
    {
        var sent = new List<(FlowId, TransportAddress, string)>();
        while (_core.Outbox.TryTake(out var transmit))
        {
            sent.Add((transmit.Flow, transmit.Destination, Convert.ToHexString(transmit.Payload)));
            _core.Outbox.Release(transmit);
        }

        return sent;
    }
}
