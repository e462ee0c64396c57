using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Our audio does not arrive: what its reports, or the system, tell of it, what is repaired, and what is named.</summary>
public sealed class OutboundFaultTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // Lets in what comes from another port of the telephone.
    private readonly PlantedCall _planted = new(NatOptions.AddressRestricted);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_telephone_that_reports_hearing_nobody_is_believed_and_not_told_another_address(bool fillsEmptyBlocks) // RFC 3550 §6.4.1
    {
        _planted.Phone.Hears = _ => false;
        _planted.Phone.ReportEach(Interval, fillsEmptyBlocks);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(["outbound-lost", "relay-wanted"], _planted.Steps);
        Assert.Equal([FindingCode.PeerHearsNothing], _planted.Codes);
        Assert.Equal(new(InboundVerdict.Audio, OutboundVerdict.NotDelivered), CallVerdict.Of(_planted.Call));
        _planted.AssertNothingAsked();
        _planted.AssertFlows(inbound: true, outbound: false);
    }

    [Fact]
    public void What_stops_to_arrive_in_mid_call_is_noticed_by_the_next_reports_and_told_when_it_is_over()
    {
        _planted.Phone.ReportEach(Interval);
        _planted.Talk();
        var lostAt = _planted.Network.Now;
        _planted.Phone.Hears = _ => false;
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));

        var lost = Assert.Single(_planted.Call.Timeline, e => e.Kind == "outbound-lost");
        Assert.InRange((lost.At - lostAt).TotalSeconds, 2, 5);
        Assert.Equal([FindingCode.PeerHearsNothing], _planted.Codes);
        _planted.AssertNothingAsked();

        _planted.Phone.Hears = _ => true;
        _planted.Network.RunFor(TimeSpan.FromSeconds(3));
        Assert.Equal(["outbound-lost", "relay-wanted", "recovered"], _planted.Steps);
        Assert.InRange(Assert.Single(_planted.Call.Recovered).After.TotalSeconds, 15, 22);
    }

    [Fact]
    public void Where_a_relay_gets_through_our_audio_leaves_by_it()
    {
        _planted.AddRelay();
        _planted.Phone.Hears = from => from.AddressText == PlantedCall.Relay;
        _planted.Phone.ReportEach(Interval);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(14));

        Assert.Equal(["outbound-lost", "relay-wanted", "recovered"], _planted.Steps);
        Assert.Equal(PlantedCall.Relay, PlantedCall.RtpOf(_planted.LaterOffers[0]).AddressText);
        Assert.Equal(AddressKind.Relayed, _planted.Call.Advertised.Kind);
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void A_telephone_that_listens_elsewhere_than_it_sends_from_is_sent_to_where_it_said()
    {
        _planted.Phone.SpeakFrom(13_000);
        _planted.Phone.ReportEach(Interval);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(8));

        Assert.Equal(["outbound-lost", "other-destination", "recovered"], _planted.Steps);
        Assert.InRange(Assert.Single(_planted.Call.Recovered).After.TotalSeconds, 2, 8);
        Assert.DoesNotContain(FindingCode.PeerHearsNothing, _planted.Codes);
        _planted.AssertNothingAsked();
        _planted.AssertFlows(inbound: true, outbound: true);

        // It stays so, also when the peer asks for a change that concerns something else.
        _planted.Reinvite(_planted.Describe());
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void Where_the_address_that_it_said_does_not_help_either_audio_goes_back_to_where_it_comes_from()
    {
        _planted.Describe = () => _planted.Phone.Sdp(port: 12_500);
        _planted.Phone.Hears = _ => false;
        _planted.Phone.ReportEach(Interval);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal(["outbound-lost", "other-destination", "relay-wanted"], _planted.Steps);
        Assert.Contains(FindingCode.PeerHearsNothing, _planted.Codes);

        _planted.Phone.Hears = _ => true;
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void A_host_that_only_its_description_names_gets_nothing()
    {
        var planted = new PlantedCall(NatOptions.FullCone);
        var other = ScriptedPhone.AddTo(planted.Network, "203.0.113.6:5060");
        planted.Describe = () => planted.Phone.Sdp(address: other.Media.AddressText);
        planted.Phone.Hears = _ => false;
        planted.Phone.ReportEach(Interval);
        planted.Begin();
        var before = other.Heard.Count;
        planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(["outbound-lost", "relay-wanted"], planted.Steps);
        Assert.Equal(before, other.Heard.Count);
    }

    [Fact]
    public void What_this_machine_refuses_to_send_is_noticed_at_once()
    {
        _planted.Talk();
        var lostAt = _planted.Network.Now;
        var local = _planted.Call.Local;
        _planted.Caller.Host.RefusesToSendFrom = from => from == local;
        _planted.Network.RunFor(TimeSpan.FromSeconds(12));

        var lost = Assert.Single(_planted.Call.Timeline, e => e.Kind == "outbound-lost");
        Assert.InRange((lost.At - lostAt).TotalSeconds, 0, 1.5);
        var finding = Assert.Single(_planted.Call.Findings);
        Assert.Equal(FindingCode.PeerHearsNothing, finding.Code);
        Assert.Contains("were refused: a firewall or a missing route on this machine", finding.Text);
        _planted.AssertNothingAsked();

        _planted.Caller.Host.RefusesToSendFrom = _ => false;
        _planted.Network.RunFor(TimeSpan.FromSeconds(4));
        Assert.Equal("recovered", _planted.Steps[^1]);
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void Nothing_that_could_be_sent_was_delivered()
    {
        _planted.Caller.Host.RefusesToSendFrom = from => from.Port is >= 10_000 and < 10_100;
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Equal(OutboundVerdict.NotDelivered, CallVerdict.Of(_planted.Call).Outbound);
        Assert.Contains(FindingCode.PeerHearsNothing, _planted.Codes);
    }

    [Fact]
    public void Without_any_report_nothing_is_known_and_nothing_done()
    {
        _planted.Phone.Hears = _ => false;
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(30));

        Assert.Empty(_planted.Steps);
        Assert.Empty(_planted.Codes);
        Assert.Equal(new(InboundVerdict.Audio, OutboundVerdict.Unconfirmed), CallVerdict.Of(_planted.Call));
        _planted.AssertNothingAsked();
    }

    [Fact]
    public void Reports_that_count_our_audio_are_no_reason_to_do_anything()
    {
        _planted.Phone.ReportEach(Interval);
        _planted.Talk();
        _planted.Network.RunFor(TimeSpan.FromSeconds(30));

        Assert.Empty(_planted.Steps);
        Assert.Equal(new(InboundVerdict.Audio, OutboundVerdict.Delivered), CallVerdict.Of(_planted.Call));
    }
}
