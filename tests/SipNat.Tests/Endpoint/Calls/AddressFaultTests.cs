using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// A call in which the address that was told leads nowhere, with a telephone that sends there and nowhere else: another one
/// is told where there is one, and the likely cause is named.
/// </summary>
public sealed class AddressFaultTests
{
    private const string Wrong = "198.51.100.99";

    [Fact]
    public void Without_any_way_to_learn_the_public_address_the_line_to_add_is_named()
    {
        var planted = new PlantedCall(knowsStun: false).Begin();
        planted.Network.RunFor(TimeSpan.FromSeconds(10));

        planted.AssertFlows(inbound: false, outbound: true);
        Assert.Equal("192.168.1.100", planted.Call.Advertised.Address.AddressText);
        var cause = Assert.Single(planted.Call.Findings, f => f.Code is FindingCode.PrivateAddressAdvertised);
        Assert.Contains("is private, and the peer at 203.0.113.5 is in none of Nat:LocalNetworks. Set Nat:ExternalAddress or Nat:StunServers", cause.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configured_address_that_is_wrong_gives_way_to_the_one_that_a_server_sees()
    {
        var planted = new PlantedCall();
        planted.Caller.Host.Run(now => planted.Caller.Core.SetExternalAddresses(now, [TransportAddress.Parse(Wrong)]));
        planted.Begin();
        Assert.Equal(Wrong, PlantedCall.RtpOf(planted.Invite).AddressText);
        planted.Network.RunFor(TimeSpan.FromSeconds(6));

        planted.AssertFlows(inbound: true, outbound: true);
        Assert.Equal("198.51.100.7", planted.Call.Advertised.Address.AddressText);
        Assert.Contains("other-address", planted.Steps);
        Assert.Contains(planted.Call.Findings, f => f.Code is FindingCode.MappingChanged && f.Text.StartsWith("The public address of a media port is another one than the other side was told; it is told 198.51.100.7:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_router_that_gives_each_port_another_number_is_told_by_its_number()
    {
        var planted = new PlantedCall(NatOptions.PortRestricted with { PortAssignment = PortAssignment.Random }).Talk();

        var ports = Enumerable.Range(10_000, 100).Select(port => planted.Nat.ExternalOf(TransportAddress.Parse("192.168.1.100").WithPort(port), planted.Phone.Media));
        Assert.Contains(PlantedCall.RtpOf(planted.Invite), ports);
        Assert.NotInRange(PlantedCall.RtpOf(planted.Invite).Port, 10_000, 10_099);
        Assert.Empty(planted.Steps);
    }

    [Fact]
    public void A_firewall_before_the_media_ports_is_told_from_one_before_everything()
    {
        // What comes to SIP gets through, and nothing to the media ports.
        var planted = new PlantedCall(knowsStun: false) { Speaks = false };
        var server = TransportAddress.Parse("203.0.113.91:3478");
        planted.Caller.Host.Run(now => planted.Caller.Core.SetStunServers(now, [server]));
        planted.Network.RunFor(TimeSpan.FromSeconds(1));
        planted.StunServers[0].IsSilent = true;
        planted.Caller.Host.Run(now => planted.Caller.Media.SetStunServers(now, [server]));
        planted.Begin();
        planted.Network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Equal(
            [FindingCode.MediaPortBlocked],
            planted.Codes.Where(code => code is FindingCode.MediaPortBlocked or FindingCode.PrivateAddressAdvertised or FindingCode.MappingDiffers).Distinct());
    }
}
