using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>ICMP says that our audio does not arrive: what is believed of it, done and named.</summary>
public sealed class IcmpFaultTests
{
    private const int Header = 8;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly PlantedCall _planted = new(NatOptions.AddressRestricted);
    private readonly RefusingHost _refuses;

    public IcmpFaultTests() => _refuses = new(_planted);

    [Fact]
    [Plants(FindingCode.PeerHearsNothing)]
    public void A_port_that_is_closed_over_there_is_named_at_once()
    {
        _planted.Talk();
        var lostAt = Refuse();
        _planted.Network.RunFor(TimeSpan.FromSeconds(0.7));

        var lost = Assert.Single(_planted.Call.Timeline, e => e.Kind == "outbound-lost");
        Assert.InRange((lost.At - lostAt).TotalMilliseconds, 400, 600);
        var finding = Assert.Single(_planted.Call.Findings);
        Assert.Equal(
            (FindingCode.PeerHearsNothing, "Our audio does not arrive at 203.0.113.5:12000: 203.0.113.5 itself says by ICMP that the port is closed: the program over there has closed it or is gone, or the router at that address no longer passes it on. The other side does not hear us."),
            (finding.Code, finding.Text));

        // Nothing is known to help, and nothing is said twice. The telephone has never reported.
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal(["outbound-lost", "relay-wanted"], _planted.Steps);
        Assert.Equal([FindingCode.PeerHearsNothing], _planted.Codes);
        Assert.Equal(new(InboundVerdict.Audio, OutboundVerdict.NotDelivered), CallVerdict.Of(_planted.Call));
        _planted.AssertNothingAsked();

        _planted.Phone.Hears = _ => true;
        _refuses.IsOn = false;
        _planted.Network.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(["outbound-lost", "relay-wanted", "recovered"], _planted.Steps);
        Assert.Equal(OutboundVerdict.Unconfirmed, CallVerdict.Of(_planted.Call).Outbound);
    }

    [Theory]
    [InlineData("203.0.113.77", 3, 13, "203.0.113.77, a router or firewall on the way, says by ICMP that a rule forbids it.")]
    [InlineData("203.0.113.77", 3, 3, "203.0.113.77, a router or firewall on the way, says by ICMP that the port is closed.")]
    [InlineData("203.0.113.77", 3, 1, "203.0.113.77, a router or firewall on the way, says by ICMP that the host is not there.")]
    [InlineData("203.0.113.77", 11, 0, "203.0.113.77, a router or firewall on the way, says by ICMP that the packets went in a circle.")]
    [InlineData("203.0.113.5", 3, 10, "203.0.113.5 itself says by ICMP that a rule forbids it.")]
    [InlineData("192.168.1.100", 3, 0, "this machine, 192.168.1.100, says by ICMP that no way leads there: it has no way to that address, its firewall forbids it, or nobody answers for the address in its network.")]
    public void The_finding_says_who_refuses_it_and_why(string offender, byte type, byte code, string said)
    {
        _refuses.Offender = TransportAddress.Parse(offender);
        _refuses.Says = (type, code);
        _planted.Talk();
        Refuse();
        _planted.Network.RunFor(TimeSpan.FromSeconds(0.7));

        Assert.Equal($"Our audio does not arrive at 203.0.113.5:12000: {said} The other side does not hear us.", Assert.Single(_planted.Call.Findings).Text);
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(4, 0)]
    [InlineData(12, 0)]
    public void What_says_nothing_of_later_packets_is_passed_over(byte type, byte code) // RFC 1191: too long; RFC 6633; RFC 792
    {
        _refuses.Says = (type, code);
        _planted.Talk();
        _refuses.IsOn = true;
        AssertNothingSaid();
    }

    [Fact]
    public void A_relay_is_tried_where_there_is_one()
    {
        _planted.AddRelay();
        _planted.Talk();
        _planted.Phone.Hears = from => from.AddressText == PlantedCall.Relay;
        _refuses.IsOn = true;
        _planted.Network.RunFor(TimeSpan.FromSeconds(12));

        Assert.Equal(["outbound-lost", "relay-wanted", "recovered"], _planted.Steps);
        Assert.Equal(PlantedCall.Relay, PlantedCall.RtpOf(_planted.LaterOffers[0]).AddressText);
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void A_telephone_that_closes_its_port_and_hangs_up_is_no_fault()
    {
        _planted.Talk();
        Refuse();
        _planted.Network.RunFor(TimeSpan.FromSeconds(0.3));
        _planted.HangUpThere();
        _planted.Network.RunFor(TimeSpan.FromSeconds(2));

        Assert.NotEqual(0, _refuses.Told);
        Assert.Empty(_planted.Steps);
        Assert.Empty(_planted.Codes);
        Assert.Equal(OutboundVerdict.Unconfirmed, CallVerdict.Of(_planted.Call).Outbound);
    }

    [Fact]
    public void A_route_that_changes_and_is_refused_for_a_moment_moves_nothing()
    {
        _planted.AddRelay();
        _planted.Talk();
        (_refuses.Offender, _refuses.Says) = (TransportAddress.Parse("192.168.1.1"), (3, 0));
        Refuse();
        _planted.Network.After(TimeSpan.FromSeconds(0.3), () =>
        {
            _planted.Phone.Hears = _ => true;
            _refuses.IsOn = false;
        });
        _planted.Network.RunFor(TimeSpan.FromSeconds(15));

        Assert.Equal(["outbound-lost", "recovered"], _planted.Steps);
        Assert.InRange(Assert.Single(_planted.Call.Recovered).After.TotalSeconds, 2.5, 4);
        _planted.AssertNothingAsked();
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void Who_has_not_seen_our_packets_is_not_believed() // RFC 8085 §5.2
    {
        _planted.Talk();
        _refuses.Quotes = packet => [.. packet[..8], (byte)~packet[8], .. packet[9..]];
        _refuses.IsOn = true;
        AssertNothingSaid();

        _refuses.Quotes = static _ => [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        AssertNothingSaid();

        (_refuses.Quotes, _refuses.Blames) = (packet => packet, to => to.WithPort(to.Port + 2));
        AssertNothingSaid();
    }

    [Theory]
    [InlineData(0, 1.5)]
    [InlineData(Header, 1.5)]
    public void Routers_that_quote_no_more_than_eight_bytes_are_believed_after_five(int quoted, double seconds) // RFC 792
    {
        _refuses.Quotes = packet => packet[..quoted];
        _planted.Talk();
        Refuse();
        _planted.Network.RunUntil(() => _refuses.Told == 4, TimeSpan.FromSeconds(1));
        _planted.Network.RunFor(TimeSpan.FromMilliseconds(15));
        Assert.Empty(_planted.Codes);

        _planted.Network.RunFor(TimeSpan.FromSeconds(seconds));
        Assert.Equal([FindingCode.PeerHearsNothing], _planted.Codes);
    }

    [Fact]
    public void Reports_that_count_our_audio_outweigh_ICMP()
    {
        _planted.Phone.ReportEach(Interval);
        _planted.Talk();
        _refuses.IsOn = true;
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(["outbound-lost", "relay-wanted", "recovered"], _planted.Steps);
        Assert.InRange(Assert.Single(_planted.Call.Recovered).After.TotalSeconds, 2, 4.6);
        Assert.Equal(OutboundVerdict.Delivered, CallVerdict.Of(_planted.Call).Outbound);
        _planted.AssertNothingAsked();
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void A_port_that_is_opened_a_little_after_the_answer_is_no_fault()
    {
        _refuses.IsOn = true;
        _planted.Network.After(TimeSpan.FromSeconds(1.9), () => _refuses.IsOn = false);
        _planted.Talk();

        Assert.NotEqual(0, _refuses.Told);
        Assert.Empty(_planted.Steps);
        Assert.Empty(_planted.Codes);
    }

    private Instant Refuse()
    {
        _planted.Phone.Hears = _ => false;
        _refuses.IsOn = true;
        return _planted.Network.Now;
    }

    private void AssertNothingSaid()
    {
        var told = _refuses.Told;
        _planted.Network.RunFor(TimeSpan.FromSeconds(5));
        Assert.NotEqual(told, _refuses.Told);
        Assert.Empty(_planted.Steps);
        Assert.Empty(_planted.Codes);
    }
}
