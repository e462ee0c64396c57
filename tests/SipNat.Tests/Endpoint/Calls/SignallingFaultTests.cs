using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Tests.Endpoint.Diagnosis;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Signalling that gets through one way only, in a call whose audio is well.</summary>
public sealed class SignallingFaultTests
{
    [Fact]
    [Plants(FindingCode.AckLost)]
    public void An_answer_that_comes_again_and_again_says_that_our_ack_does_not_arrive() // RFC 3261 §13.3.1.4
    {
        var planted = new PlantedCall();
        var serve = planted.Phone.OnRequest;
        planted.Phone.OnRequest = request =>
        {
            if (request.Method != "INVITE")
            {
                serve(request);
                return;
            }

            // As if no ACK had come: T1 and twice as long each time, T2 at most.
            var interval = 0.5;
            for (var at = 0.0; at < 32; at += interval, interval = Math.Min(4, 2 * interval)) planted.Network.After(TimeSpan.FromSeconds(at), () => serve(request));
        };
        planted.Talk();
        Assert.Empty(planted.Codes);
        planted.Network.RunFor(TimeSpan.FromSeconds(30));

        Assert.Equal(11, planted.Phone.Count("ACK"));
        Assert.Equal("The other side has sent its 200 OK 5 times: our ACK does not reach it. It goes to 203.0.113.5:5060, for sip:phone@203.0.113.5:5060. It will hang up after 32 s.",
            Assert.Single(planted.Call.Findings).Text);
        planted.AssertFlows(inbound: true, outbound: true);

        planted.HangUpThere();
        planted.Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal((CallState.Over, "The other side hung up."), (planted.Call.State, planted.Call.EndReason));
    }

    [Fact]
    public void An_answer_that_came_again_because_one_ack_was_lost_is_no_finding()
    {
        var planted = new PlantedCall();
        var serve = planted.Phone.OnRequest;
        planted.Phone.OnRequest = request =>
        {
            serve(request);
            if (request.Method == "INVITE") planted.Network.After(TimeSpan.FromSeconds(0.5), () => serve(request));
        };
        planted.Talk();
        planted.Network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Empty(planted.Codes);
    }
}
