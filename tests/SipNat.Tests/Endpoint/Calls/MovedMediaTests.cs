using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>The other side's media come from elsewhere than before, or from two places.</summary>
public sealed class MovedMediaTests
{
    private readonly PlantedCall _planted = new();

    [Theory]
    [InlineData("INVITE")]
    [InlineData("UPDATE")]
    public void Media_that_an_offer_moves_to_another_host_are_followed_within_a_second(string method)
    {
        var other = ScriptedPhone.AddTo(_planted.Network, "203.0.113.6:5060");
        _planted.Talk();
        _planted.Phone.FallSilent();
        other.Speak(_planted.Call.Advertised.Address);
        if (method == "INVITE") _planted.Reinvite(other.Sdp());
        else _planted.Phone.RequestBack(_planted.Invite, "UPDATE", 7, _planted.Call.Advertised.Address.WithPort(5060), other.Sdp());
        _planted.Network.RunFor(TimeSpan.FromSeconds(1));

        var (there, here, gone) = (other.Heard.Count, _planted.Audible, _planted.Phone.Heard.Count);
        _planted.Network.RunFor(TimeSpan.FromSeconds(2));
        Assert.InRange(other.Heard.Count - there, 90, 110);
        Assert.InRange(_planted.Audible - here, 75, 110);
        Assert.Equal(gone, _planted.Phone.Heard.Count);
        Assert.Equal(other.Media, _planted.Call.Described);
        Assert.Empty(_planted.Steps);
    }

    [Fact]
    public void The_branch_that_answers_is_heard_and_hears_though_the_early_one_goes_on()
    {
        var early = ScriptedPhone.AddTo(_planted.Network, "203.0.113.6:5060");
        var serve = _planted.Phone.OnRequest;
        _planted.Phone.OnRequest = request =>
        {
            if (request.Method != "INVITE")
            {
                serve(request);
                return;
            }

            _planted.Phone.Answer(request, "183 Session Progress", early.Sdp(), tag: "early");
            early.Speak(PlantedCall.RtpOf(request));
            _planted.Network.After(TimeSpan.FromSeconds(2), () => serve(request));
        };
        _planted.Network.RunFor(TimeSpan.FromSeconds(1));
        _planted.Caller.Place("sip:100@203.0.113.5");
        _planted.Network.RunFor(TimeSpan.FromSeconds(2));
        Assert.NotEmpty(early.Heard);

        _planted.Network.RunFor(TimeSpan.FromSeconds(1.5));
        var stale = early.Heard.Count;
        _planted.AssertFlows(inbound: true, outbound: true);
        Assert.Equal(stale, early.Heard.Count);
        Assert.Equal((CallState.Established, _planted.Phone.Media), (_planted.Call.State, _planted.Call.Stream!.Remote));
    }

    [Fact]
    public void A_stray_source_of_the_same_host_gives_way_to_the_one_that_was_described()
    {
        var planted = new PlantedCall(NatOptions.FullCone) { Speaks = false };
        var stray = new StraySource(planted.Phone.Host, 13_000);
        planted.Begin();
        stray.Speak(planted.Network, planted.Call.Advertised.Address, TimeSpan.FromSeconds(20));
        planted.Network.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal(13_000, planted.Call.Stream!.Remote.Port);

        planted.Phone.Speak(planted.Call.Advertised.Address);
        planted.Network.RunFor(TimeSpan.FromSeconds(1));
        planted.AssertFlows(inbound: true, outbound: true);
        planted.Network.RunFor(TimeSpan.FromSeconds(12));

        Assert.Equal(planted.Phone.Media, planted.Call.Stream!.Remote);
        Assert.Equal([FindingCode.MediaFromElsewhere], planted.Codes);
        planted.AssertNothingAsked();
    }
}
