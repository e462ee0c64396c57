using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Simulation.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// A call from behind a NAT with a telephone that is written apart, in which a test plants a fault; and what a test asks of
/// it afterwards: which directions have audio, what was done, and what was named.
/// </summary>
internal sealed class PlantedCall
{
    public const string Relay = "203.0.113.93";
    private const string PublicAddress = "198.51.100.7";

    // What the timeline has of the watch, and not of the negotiation.
    private static readonly string[] Watched =
        ["inbound-lost", "outbound-lost", "other-destination", "other-address", "relay-wanted", "ice-restart", "recovered"];

    private int _sequence = 6;

    /// <param name="knowsStun">Whether two STUN servers are known from the start.</param>
    public PlantedCall(NatOptions? nat = null, bool knowsStun = true)
    {
        Phone = ScriptedPhone.AddTo(Network, "203.0.113.5:5060");
        Nat = Network.AddNat(PublicAddress, nat ?? NatOptions.PortRestricted);
        Caller = SimulatedCaller.AddTo(Network, "192.168.1.100", Nat);
        StunServers = [SimulatedStunServer.AddTo(Network, "203.0.113.91:3478"), SimulatedStunServer.AddTo(Network, "203.0.113.92:3478")];
        if (knowsStun) Caller.Host.Run(now => Caller.SetStunServers(now, TransportAddress.Parse("203.0.113.91:3478"), TransportAddress.Parse("203.0.113.92:3478")));
        Describe = () => Phone.Sdp();
        Phone.OnRequest = Serve;
    }

    public SimulatedNetwork Network { get; } = new(7);

    public ScriptedPhone Phone { get; }

    public SimulatedNat Nat { get; }

    public SimulatedCaller Caller { get; }

    public IReadOnlyList<SimulatedStunServer> StunServers { get; }

    public CallSnapshot Call => Caller.Call;

    /// <summary>How the telephone describes itself.</summary>
    public Func<string> Describe { get; set; }

    /// <summary>Whether the telephone sends audio to where it was told.</summary>
    public bool Speaks { get; set; } = true;

    /// <summary>What it answers to offers after the first.</summary>
    public string LaterStatus { get; set; } = "200 OK";

    public ScriptedSipMessage Invite => Phone.Requests.First(r => r.Method == "INVITE");

    /// <summary>Offers of ours after the first.</summary>
    public IReadOnlyList<ScriptedSipMessage> LaterOffers => [.. Phone.Requests.Where(r => r.Method is "INVITE" or "UPDATE" && r.Body.Length > 0).Skip(1).DistinctBy(r => r.CSeq)];

    /// <summary>What was done about audio, in order.</summary>
    public IReadOnlyList<string> Steps => [.. Call.Timeline.Select(e => e.Kind).Where(Watched.Contains)];

    public IReadOnlyList<FindingCode> Codes => [.. Call.Findings.Select(f => f.Code)];

    public long Audible => Call.Stream!.Audio!.AudibleBlocks;

    /// <summary>Blocks of 20 ms that were heard here, and packets that were heard there, by now.</summary>
    public (long Inbound, int Outbound) Heard => (Audible, Phone.Heard.Count);

    public void AddRelay(SimulatedTurnServerOptions? options = null, Action<SimulatedTurnServer>? take = null)
    {
        var server = SimulatedTurnServer.AddTo(Network, $"{Relay}:3478", options);
        Caller.Host.Run(_ => Caller.Media.SetTurnServers([new() { Server = TransportAddress.Parse($"{Relay}:3478"), Credentials = new("user", "password") }]));
        take?.Invoke(server);
    }

    /// <summary>Calls, and lets it talk for four seconds.</summary>
    public PlantedCall Begin(string target = "sip:100@203.0.113.5")
    {
        Network.RunFor(TimeSpan.FromSeconds(1));
        Caller.Place(target);
        Network.RunFor(TimeSpan.FromSeconds(4));
        Assert.Equal(CallState.Established, Call.State);
        return this;
    }

    /// <summary>The same, with audio both ways.</summary>
    public PlantedCall Talk()
    {
        Begin();
        AssertFlows(inbound: true, outbound: true);
        return this;
    }

    /// <summary>An INVITE of the telephone in the dialog, with its ACK.</summary>
    public void Reinvite(string sdp)
    {
        Phone.RequestBack(Invite, "INVITE", ++_sequence, Phone.LastSource, sdp);
        Network.RunFor(TimeSpan.FromSeconds(0.5));
        Phone.RequestBack(Invite, "ACK", _sequence, Phone.LastSource);
    }

    public void HangUpThere() => Phone.RequestBack(Invite, "BYE", ++_sequence, Phone.LastSource);

    /// <summary>In the next two seconds all of a direction is heard, or nothing.</summary>
    public void AssertFlows(bool inbound, bool outbound)
    {
        var before = Heard;
        Network.RunFor(TimeSpan.FromSeconds(2));
        var (heardHere, heardThere) = (Audible - before.Inbound, Phone.Heard.Count - before.Outbound);
        Assert.True(inbound ? heardHere is >= 75 and <= 110 : heardHere == 0, $"{heardHere} blocks of 20 ms were heard here in 2 s");
        Assert.True(outbound ? heardThere is >= 90 and <= 110 : heardThere == 0, $"{heardThere} packets were heard there in 2 s");
    }

    /// <summary>The call goes on, and of the peer nothing was asked.</summary>
    public void AssertNothingAsked()
    {
        Assert.Empty(LaterOffers);
        Assert.Equal((CallState.Established, PublicAddress), (Call.State, Call.Advertised.Address.AddressText));
    }

    /// <summary>Where a description of ours has RTP sent.</summary>
    public static TransportAddress RtpOf(ScriptedSipMessage description)
    {
        var lines = description.Body.Split("\r\n");
        var address = lines.First(l => l.StartsWith("c=", StringComparison.Ordinal)).Split(' ')[2];
        var port = lines.First(l => l.StartsWith("m=", StringComparison.Ordinal)).Split(' ')[1];
        return TransportAddress.Parse($"{address}:{port}");
    }

    private void Serve(ScriptedSipMessage request)
    {
        if (request.Method == "ACK") return;
        if (request.Method is not ("INVITE" or "UPDATE") || request.Body.Length == 0)
        {
            Phone.Answer(request, "200 OK");
            return;
        }

        var isFirst = request.CSeq == Invite.CSeq;
        var status = isFirst ? "200 OK" : LaterStatus;
        Phone.Answer(request, status, status == "200 OK" ? Describe() : "", headers: "Allow: INVITE, ACK, BYE, UPDATE\r\n");
        if (Speaks && status == "200 OK") Phone.Speak(RtpOf(request));
    }
}
