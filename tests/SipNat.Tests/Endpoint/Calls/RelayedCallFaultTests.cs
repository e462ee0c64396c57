using SipNat.Endpoint.Addressing;
using SipNat.Simulation;
using SipNat.Simulation.Turn;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>A call by a relay, whose server forgets, restarts or asks anew who we are.</summary>
public sealed class RelayedCallFaultTests
{
    [Fact]
    public void Permissions_channels_and_allocation_outlive_their_lifetimes_and_nonces()
    {
        var planted = Begin(new() { NonceLifetime = TimeSpan.FromSeconds(90), Lifetime = TimeSpan.FromSeconds(600) }, out _);
        planted.AssertFlows(inbound: true, outbound: true);
        planted.Phone.FallSilent();
        planted.Reinvite(planted.Phone.Sdp("inactive"));
        planted.Network.RunFor(TimeSpan.FromMinutes(21));

        planted.Phone.Speak(planted.Call.Advertised.Address);
        planted.Reinvite(planted.Phone.Sdp());
        planted.Network.RunFor(TimeSpan.FromSeconds(0.5));
        planted.AssertFlows(inbound: true, outbound: true);
        Assert.Empty(planted.Steps);
        Assert.Equal(AddressKind.Relayed, planted.Call.Advertised.Kind);
    }

    [Fact]
    public void A_server_that_has_restarted_costs_six_seconds_at_most()
    {
        var planted = Begin(new(), out var server);
        server.Restart();
        planted.Network.RunFor(TimeSpan.FromSeconds(6));

        planted.AssertFlows(inbound: true, outbound: true);
        Assert.Equal(AddressKind.Relayed, planted.Call.Advertised.Kind);
    }

    // A NAT that shows each destination another port, with one STUN server that cannot tell.
    private static PlantedCall Begin(SimulatedTurnServerOptions options, out SimulatedTurnServer server)
    {
        SimulatedTurnServer? added = null;
        var planted = new PlantedCall(NatOptions.Symmetric);
        planted.AddRelay(options, s => added = s);
        planted.Begin();
        planted.Network.RunFor(TimeSpan.FromSeconds(12));
        server = added!;
        Assert.Equal(AddressKind.Relayed, planted.Call.Advertised.Kind);
        return planted;
    }
}
