using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>The other side is not heard: which evidence has it asked for another address, and which has it not.</summary>
public sealed class InboundFaultTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly PlantedCall _planted = new();

    [Fact]
    public void Audio_that_it_counts_and_that_does_not_come_is_led_by_a_relay()
    {
        _planted.AddRelay();
        _planted.Phone.Reaches = to => to.AddressText == PlantedCall.Relay;
        _planted.Phone.ReportEach(Interval);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(12));

        Assert.Equal("inbound-lost", _planted.Steps[0]);
        Assert.Equal("recovered", _planted.Steps[^1]);
        Assert.Equal(AddressKind.Relayed, _planted.Call.Advertised.Kind);
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    public void Audio_that_it_counts_and_that_comes_by_no_way_is_named_with_its_count()
    {
        _planted.Talk();
        _planted.Phone.ReportEach(Interval);
        _planted.Network.RunFor(TimeSpan.FromSeconds(3));
        _planted.Phone.Reaches = _ => false;
        _planted.Network.RunFor(TimeSpan.FromSeconds(25));

        Assert.Equal("inbound-lost", _planted.Steps[0]);
        Assert.Contains(_planted.Call.Findings, f => f.Code is FindingCode.MediaStopped && f.Text.Contains("and says that ", StringComparison.Ordinal));
        Assert.Equal(CallState.Established, _planted.Call.State);
    }

    [Fact]
    public void A_telephone_that_counts_no_audio_of_its_own_has_stopped_and_is_asked_for_nothing()
    {
        _planted.Phone.ReportEach(Interval);
        _planted.Talk();
        _planted.Phone.FallSilent();
        _planted.Network.RunFor(TimeSpan.FromSeconds(30));

        Assert.Equal(["inbound-lost"], _planted.Steps);
        Assert.Equal([FindingCode.MediaStopped], _planted.Codes);
        _planted.AssertNothingAsked();
    }

    [Fact]
    public void Packets_of_a_stranger_show_that_the_address_is_not_at_fault()
    {
        var planted = new PlantedCall(NatOptions.FullCone) { Speaks = false };
        var stranger = ScriptedPhone.AddTo(planted.Network, "198.51.100.66:5060");
        planted.Begin();
        stranger.Speak(planted.Call.Advertised.Address);
        planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.DoesNotContain("other-address", planted.Steps);
        Assert.Contains(FindingCode.StrayMedia, planted.Codes);
        Assert.Contains(FindingCode.NoMedia, planted.Codes);
    }

    [Fact]
    public void Packets_under_another_key_are_named_and_no_other_address_is_told()
    {
        _planted.Describe = () => _planted.Phone.Sdp().Replace("RTP/AVP 0\r\n", "RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n", StringComparison.Ordinal);
        _planted.Begin("sip:100@203.0.113.5:5061;transport=tls");
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal([FindingCode.SrtpAuthFailed], _planted.Codes);
        Assert.Equal(["inbound-lost"], _planted.Steps);
        _planted.AssertNothingAsked();
    }

    [Fact]
    public void Who_takes_no_other_address_is_asked_once()
    {
        _planted.AddRelay();
        _planted.Phone.Reaches = _ => false;
        _planted.LaterStatus = "488 Not Acceptable Here";
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(4));

        // The relayed addresses of RTP and of RTCP come one after the other.
        var asked = _planted.LaterOffers.Count;
        Assert.InRange(asked, 1, 2);
        _planted.Network.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal(asked, _planted.LaterOffers.Count);
        Assert.Contains(FindingCode.NoMedia, _planted.Codes);
        Assert.Equal(CallState.Established, _planted.Call.State);
    }

    [Fact]
    public void A_hold_ends_a_loss_and_is_no_repair()
    {
        _planted.Talk();
        _planted.Phone.FallSilent();
        _planted.Network.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(["inbound-lost"], _planted.Steps);

        _planted.Reinvite(_planted.Phone.Sdp("inactive"));
        _planted.Network.RunFor(TimeSpan.FromSeconds(10));
        Assert.Empty(_planted.Call.Recovered);
        Assert.Equal(["inbound-lost"], _planted.Steps);
    }
}
