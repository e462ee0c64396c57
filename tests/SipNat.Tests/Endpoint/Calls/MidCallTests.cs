using System.Buffers.Binary;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Simulation.Turn;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// A call from behind a NAT with a telephone that sends to the address that it was told, and nowhere else: what breaks is
/// noticed, repaired where it can be, and named where it cannot.
/// </summary>
public sealed class MidCallTests
{
    private readonly SimulatedNetwork _network = new(7);
    private readonly ScriptedPhone _phone;
    private readonly SimulatedNat _nat;
    private readonly SimulatedCaller _caller;

    public MidCallTests()
    {
        _phone = ScriptedPhone.AddTo(_network, "203.0.113.5:5060");
        _nat = _network.AddNat("198.51.100.7", NatOptions.PortRestricted);
        _caller = SimulatedCaller.AddTo(_network, "192.168.1.100", _nat);
        SimulatedStunServer.AddTo(_network, "203.0.113.91:3478");
        SimulatedStunServer.AddTo(_network, "203.0.113.92:3478");
        _phone.OnRequest = request =>
        {
            if (request.Method is "INVITE" or "UPDATE" && request.Body.Length > 0)
            {
                _phone.Answer(request, "200 OK", _phone.Sdp(), headers: "Allow: INVITE, ACK, BYE, UPDATE\r\n");
                _phone.Speak(RtpOf(request));
            }
            else if (request.Method != "ACK")
            {
                _phone.Answer(request, "200 OK");
            }
        };
    }

    [Fact]
    public void A_router_that_gets_another_address_costs_six_seconds_at_most()
    {
        Establish();
        var heard = Audible();

        _nat.Renumber("198.51.100.77");
        _network.RunFor(TimeSpan.FromSeconds(6));
        var (inbound, outbound) = (Audible(), _phone.Heard.Count);
        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.InRange(Audible() - inbound, 90, 110);
        Assert.InRange(_phone.Heard.Count - outbound, 90, 110);
        Assert.True(inbound > heard);
        var recovery = Assert.Single(_caller.Call.Recovered);
        Assert.Equal(("198.51.100.7", "198.51.100.77"), (recovery.From.AddressText, recovery.To.AddressText));
        Assert.InRange(recovery.After.TotalSeconds, 2, 6);
        Assert.Equal("198.51.100.77", RtpOf(_phone.Last("UPDATE")!).AddressText);
    }

    [Fact]
    public void Where_the_address_that_was_told_does_not_work_a_relay_takes_its_place()
    {
        // One server alone cannot tell that the NAT shows each destination another port.
        var caller = SimulatedCaller.AddTo(_network, "192.168.2.100", _network.AddNat("198.51.100.8", NatOptions.Symmetric));
        _ = SimulatedTurnServer.AddTo(_network, "203.0.113.93:3478");
        caller.Host.Run(now =>
        {
            caller.SetStunServers(now, TransportAddress.Parse("203.0.113.91:3478"));
            caller.Media.SetTurnServers([new() { Server = TransportAddress.Parse("203.0.113.93:3478"), Credentials = new("user", "password") }]);
        });
        _network.RunFor(TimeSpan.FromSeconds(1));

        caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(12));

        Assert.Equal(CallState.Established, caller.Call.State);
        Assert.Equal(AddressKind.Relayed, caller.Call.Advertised.Kind);
        Assert.True(caller.Call.Stream!.Audio!.AudibleBlocks > 100);
        Assert.Equal("203.0.113.93", Assert.Single(caller.Call.Recovered).To.AddressText);
    }

    [Fact]
    public void A_telephone_that_sends_nothing_is_asked_for_nothing_it_can_not_give_and_is_named()
    {
        Establish();
        _phone.FallSilent();
        var requests = _phone.Requests.Count;

        _network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(requests, _phone.Requests.Count(r => r.Method is not "OPTIONS"));
        Assert.Equal([FindingCode.MediaStopped], _caller.Call.Findings.Select(f => f.Code).Distinct());
        Assert.Contains(_caller.Call.Timeline, e => e.Kind == "inbound-lost");
        Assert.Equal(CallState.Established, _caller.Call.State);
    }

    [Fact]
    public void What_begins_again_by_itself_is_told_with_its_duration()
    {
        Establish();
        _phone.FallSilent();
        _network.RunFor(TimeSpan.FromSeconds(5));
        _phone.Speak(RtpOf(_phone.Last("INVITE")!));
        _network.RunFor(TimeSpan.FromSeconds(2));

        var recovery = Assert.Single(_caller.Call.Recovered);
        Assert.Equal(recovery.From, recovery.To);
        Assert.InRange(recovery.After.TotalSeconds, 4.5, 6);
    }

    [Fact]
    public void A_hold_is_no_loss()
    {
        Establish();
        _phone.FallSilent();
        var invite = _phone.Last("INVITE")!;
        _phone.RequestBack(invite, "INVITE", 7, RtpOf(invite).WithPort(5060), _phone.Sdp("inactive"));
        _network.RunFor(TimeSpan.FromSeconds(20));

        Assert.True(_caller.Call.IsHeldByPeer);
        Assert.Empty(_caller.Call.Findings);
        Assert.DoesNotContain(_caller.Call.Timeline, e => e.Kind is "inbound-lost" or "outbound-lost");
    }

    [Fact]
    [Plants(FindingCode.PeerHearsNothing)]
    public void Audio_that_the_other_side_reports_as_lost_is_named()
    {
        Establish();
        var ssrc = _phone.LastSsrc;
        for (var i = 1; i <= 6; i++) _network.After(TimeSpan.FromSeconds(3 * i), () => _phone.SendControl(RtpOf(_phone.Last("INVITE")!), ReportOfNothing(ssrc)));

        _network.RunFor(TimeSpan.FromSeconds(25));

        Assert.Contains(_caller.Call.Findings, f => f.Code is FindingCode.PeerHearsNothing);
        Assert.Contains(_caller.Call.Timeline, e => e.Kind == "outbound-lost");
        Assert.Equal(OutboundVerdict.NotDelivered, CallVerdict.Of(_caller.Call).Outbound);
    }

    private void Establish()
    {
        _caller.Host.Run(now => _caller.SetStunServers(now, TransportAddress.Parse("203.0.113.91:3478"), TransportAddress.Parse("203.0.113.92:3478")));
        _network.RunFor(TimeSpan.FromSeconds(1));
        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal((CallState.Established, "198.51.100.7"), (_caller.Call.State, _caller.Call.Advertised.Address.AddressText));
        Assert.True(Audible() > 150);
        Assert.True(_phone.Heard.Count > 150);
    }

    private long Audible() => _caller.Call.Stream!.Audio!.AudibleBlocks;

    // RFC 3550 §6.4.2: a receiver report with one block; all of what was sent is lost.
    private static byte[] ReportOfNothing(uint ssrc)
    {
        var report = new byte[32];
        report[0] = 0x81;
        report[1] = 201;
        BinaryPrimitives.WriteUInt16BigEndian(report.AsSpan(2), 7);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), 0x1234);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(8), ssrc);
        report[12] = 0xff;
        return report;
    }

    private static TransportAddress RtpOf(ScriptedSipMessage description)
    {
        var lines = description.Body.Split("\r\n");
        var address = lines.First(l => l.StartsWith("c=", StringComparison.Ordinal)).Split(' ')[2];
        var port = lines.First(l => l.StartsWith("m=", StringComparison.Ordinal)).Split(' ')[1];
        return TransportAddress.Parse($"{address}:{port}");
    }
}
