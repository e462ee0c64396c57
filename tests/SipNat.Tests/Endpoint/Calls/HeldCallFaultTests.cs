using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Diagnosis;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Silence that was agreed on, and what it does to the way: NATs forget, holds stay, providers hang up.</summary>
public sealed class HeldCallFaultTests
{
    [Fact]
    public void The_way_is_kept_open_through_a_hold_of_ten_minutes()
    {
        var planted = new PlantedCall(NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromSeconds(30) }).Talk();
        planted.Phone.FallSilent();
        planted.Reinvite(planted.Phone.Sdp("inactive"));
        planted.Network.RunFor(TimeSpan.FromSeconds(1));
        planted.AssertFlows(inbound: false, outbound: false);
        planted.Network.RunFor(TimeSpan.FromMinutes(10));
        Assert.Empty(planted.Steps);

        planted.Phone.Speak(planted.Call.Advertised.Address);
        planted.Reinvite(planted.Phone.Sdp());
        planted.Network.RunFor(TimeSpan.FromSeconds(0.5));
        planted.AssertFlows(inbound: true, outbound: true);
        Assert.Empty(planted.Codes);
    }

    [Fact]
    public void Who_waits_for_the_first_packet_gets_it_from_us()
    {
        // A provider that latches, and sends nothing before it has heard something.
        var planted = new PlantedCall { Speaks = false };
        planted.Phone.Latches = true;
        planted.Phone.Speak(default);
        planted.Begin();

        planted.AssertFlows(inbound: true, outbound: true);
        Assert.Empty(planted.Steps);
    }

    [Fact]
    public void A_telephone_that_does_not_end_its_hold_is_told_by_the_verdict_and_asked_for_nothing()
    {
        var planted = new PlantedCall();
        planted.Describe = () => planted.Phone.Sdp("inactive");
        planted.Speaks = false;
        planted.Begin();
        planted.Network.RunFor(TimeSpan.FromSeconds(10));
        planted.Caller.Host.Run(now => planted.Caller.Core.HoldCall(now, planted.Call.Id, true));
        planted.Network.RunFor(TimeSpan.FromSeconds(2));
        planted.Caller.Host.Run(now => planted.Caller.Core.HoldCall(now, planted.Call.Id, false));
        planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.True(planted.Call.IsHeldByPeer);
        Assert.Equal(new(InboundVerdict.Held, OutboundVerdict.Held), CallVerdict.Of(planted.Call));
        Assert.Contains(planted.Call.Timeline, e => e.Text == "Our offer was answered: inactive (held).");
        Assert.Empty(planted.Steps);
        Assert.Empty(planted.Codes);
        Assert.Equal(2, planted.LaterOffers.Count);
    }

    [Fact]
    [Plants(FindingCode.HungUpUnheard)]
    public void A_provider_that_hangs_up_a_held_call_without_rtp_is_named()
    {
        var planted = new PlantedCall().Talk();
        planted.Phone.FallSilent();
        planted.Reinvite(planted.Phone.Sdp("sendonly"));
        planted.Network.RunFor(TimeSpan.FromSeconds(600));
        planted.HangUpThere();
        planted.Network.RunFor(TimeSpan.FromSeconds(2));

        var finding = Assert.Single(planted.Call.Findings, f => f.Code is FindingCode.HungUpUnheard);
        Assert.Matches("^The other side hung up 60[0-2] s after our last packet of audio, while it held us\\. Providers hang up calls that bring them no RTP for a time \\(rtp timeout, rtp hold timeout\\)\\.$", finding.Text);
    }

    [Fact]
    [Plants(FindingCode.HungUpUnheard)]
    public void A_provider_that_hangs_up_because_it_hears_nothing_is_named()
    {
        var planted = new PlantedCall();
        planted.Phone.Hears = _ => false;
        planted.Phone.ReportEach(TimeSpan.FromSeconds(5));
        planted.Begin();
        planted.Network.RunFor(TimeSpan.FromSeconds(56));
        planted.HangUpThere();
        planted.Network.RunFor(TimeSpan.FromSeconds(2));

        var finding = Assert.Single(planted.Call.Findings, f => f.Code is FindingCode.HungUpUnheard);
        Assert.Matches("^The other side hung up after [45]\\d s in which, by its reports or ICMP, none of our audio reached it\\.$", finding.Text);
    }

    [Fact]
    public void Who_hangs_up_a_call_with_audio_hangs_up_for_a_reason_of_its_own()
    {
        var planted = new PlantedCall().Talk();
        planted.Network.RunFor(TimeSpan.FromSeconds(60));
        planted.HangUpThere();
        planted.Network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Empty(planted.Codes);
        Assert.True(planted.Call.WasEndedByPeer);
    }
}
