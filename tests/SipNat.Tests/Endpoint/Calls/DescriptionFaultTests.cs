using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Tests.Endpoint.Diagnosis;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>A session description that is wrong: what a call makes of it all the same, and what it says.</summary>
public sealed class DescriptionFaultTests
{
    private readonly PlantedCall _planted = new();

    [Fact]
    public void A_private_address_of_a_telephone_elsewhere_is_passed_over_for_where_its_media_come_from()
    {
        _planted.Describe = () => _planted.Phone.Sdp(address: "10.1.2.3");
        _planted.Talk();

        Assert.Contains(_planted.Call.Findings, f => f.Code is FindingCode.AddressNotSentTo && f.Text.Contains("10.1.2.3:12000", StringComparison.Ordinal));
        Assert.Equal(_planted.Phone.Media, _planted.Call.Stream!.Remote);
        Assert.Empty(_planted.Steps);
    }

    [Fact]
    public void Two_addresses_in_one_description_are_named_where_nothing_comes()
    {
        _planted.Speaks = false;
        _planted.Describe = () => _planted.Phone.Sdp(address: "203.0.113.77").Replace("a=sendrecv", "c=IN IP4 203.0.113.5\r\na=sendrecv", StringComparison.Ordinal);
        _planted.Begin();
        _planted.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Contains(_planted.Call.Findings, f => f.Code is FindingCode.ConnectionsDiffer && f.Text.Contains("203.0.113.77 for the session and 203.0.113.5 for the medium", StringComparison.Ordinal));
    }

    [Fact]
    public void An_address_of_the_other_family_is_passed_over_for_where_the_signalling_comes_from()
    {
        _planted.Describe = () => _planted.Phone.Sdp().Replace("c=IN IP4 203.0.113.5", "c=IN IP6 2001:db8::5", StringComparison.Ordinal);
        _planted.Talk();

        Assert.Contains(_planted.Call.Findings, f => f.Code is FindingCode.AddressNotSentTo && f.Text.Contains("[2001:db8::5]:12000", StringComparison.Ordinal));
    }

    [Fact]
    public void An_answer_without_audio_fails_the_call_and_says_so()
    {
        _planted.Describe = () => _planted.Phone.Sdp(port: 0);
        _planted.Network.RunFor(TimeSpan.FromSeconds(1));
        _planted.Caller.Place("sip:100@203.0.113.5");
        _planted.Network.RunFor(TimeSpan.FromSeconds(4));

        Assert.IsType<CallFailure.NoCommonAudio>(_planted.Call.Failure);
        Assert.Equal(1, _planted.Phone.Count("BYE"));
    }

    [Fact]
    public void An_offer_that_would_take_the_audio_away_is_refused_and_the_call_goes_on()
    {
        _planted.Talk();
        _planted.Reinvite(_planted.Phone.Sdp(port: 0));

        Assert.Contains(_planted.Call.Timeline, e => e.Kind == "offer-refused");
        _planted.AssertFlows(inbound: true, outbound: true);
    }

    [Fact]
    [Plants(FindingCode.PayloadTypeClash)]
    public void A_number_of_ours_that_the_answer_gives_to_audio_is_audio_and_named()
    {
        _planted.Describe = () => _planted.Phone.Sdp(formats: "101", more: "a=rtpmap:101 PCMU/8000\r\n");
        _planted.Phone.PayloadType = 101;
        _planted.Talk();

        Assert.Contains("a=rtpmap:101 telephone-event/8000", _planted.Invite.Body);
        Assert.Equal("Payload type 101 stands for two formats: telephone-event/8000 and PCMU/8000. Packets with it may be taken for the wrong one: give each format a number of its own in the device that wrote the description.",
            Assert.Single(_planted.Call.Findings).Text);
    }

    [Fact]
    [Plants(FindingCode.PayloadTypeClash)]
    public void A_number_that_one_description_uses_twice_is_named()
    {
        _planted.Describe = () => _planted.Phone.Sdp(formats: "0 120", more: "a=rtpmap:120 telephone-event/8000\r\na=rtpmap:120 opus/48000/2\r\n");
        _planted.Talk();

        Assert.Equal("Payload type 120 stands for two formats: telephone-event/8000 and opus/48000. Packets with it may be taken for the wrong one: give each format a number of its own in the device that wrote the description.",
            Assert.Single(_planted.Call.Findings).Text);
    }
}
