using SipNat.Endpoint.Calls;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

public sealed class CallMetricsTests
{
    [Fact]
    public void Both_sides_ask_for_voip_metrics_and_are_told() // RFC 3611 §5.1
    {
        var network = new SimulatedNetwork(7);
        var caller = SimulatedCaller.AddTo(network, "198.51.100.7");
        var called = SimulatedCaller.AddTo(network, "203.0.113.5", signalling: new() { UsesIce = false, AllowedNetworks = [NetworkPrefix.Parse("198.51.100.0/24")] }, seed: 2);
        called.Core.DirectCalls = new();

        caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@203.0.113.5") });
        network.RunFor(TimeSpan.FromSeconds(1));
        called.Host.Run(now => called.Core.AcceptCall(now, called.Call.Id));
        network.RunFor(TimeSpan.FromSeconds(20));

        Assert.All([caller, called], side => Assert.Equal((byte?)0, side.Call.Stream!.Audio!.PeerMetrics?.LossRate));
    }

    [Fact]
    public void Our_offer_asks_whoever_answers()
    {
        var network = new SimulatedNetwork(7);
        var caller = SimulatedCaller.AddTo(network, "198.51.100.7");
        var phone = ScriptedPhone.AddTo(network, "203.0.113.5:5060");
        phone.OnRequest = request => phone.Answer(request, "200 OK", request.Method == "INVITE" ? phone.Sdp() : "");
        caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@203.0.113.5") });
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Contains("a=rtcp-xr:voip-metrics\r\n", phone.Last("INVITE")!.Body, StringComparison.Ordinal);
        Assert.Equal(CallState.Established, caller.Call.State);
    }
}
