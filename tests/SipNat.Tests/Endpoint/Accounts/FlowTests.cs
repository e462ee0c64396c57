using SipNat.Endpoint.Accounts;
using SipNat.Simulation;
using SipNat.Simulation.Accounts;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>An account with two flows (RFC 5626) behind a router, and two edges of its provider.</summary>
public sealed class FlowTests
{
    private const string FirstEdge = "198.51.100.10:5060";
    private const string SecondEdge = "198.51.100.11:5060";

    private readonly SimulatedNetwork _network = new(1);
    private readonly SimulatedRegistrar _first;
    private readonly SimulatedRegistrar _second;
    private readonly SimulatedPhone _phone;

    public FlowTests()
    {
        (_first, _second) = (AddEdge(FirstEdge), AddEdge(SecondEdge));
        _phone = SimulatedPhone.AddTo(_network, "192.168.1.10", _network.AddNat("203.0.113.1", new() { PortAssignment = PortAssignment.Random }));
        _phone.Names["example.com"] = [AccountScene.Udp(FirstEdge), AccountScene.Udp(SecondEdge)];
    }

    [Fact]
    public void Each_flow_has_a_server_of_its_own_and_a_reg_id()
    {
        Start();

        Assert.Equal(["1"], RegIds(_first));
        Assert.Equal(["2"], RegIds(_second));
        Assert.Equal([FirstEdge, SecondEdge], _phone.Account.Flows.Select(flow => flow.Registrar.ToString()));
        _network.RunFor(TimeSpan.FromMinutes(10));
        Assert.Equal((1, 1), (_first.Bindings.Count, _second.Bindings.Count));
        Assert.True(IsReachableBy(_first));
        Assert.True(IsReachableBy(_second));
    }

    // It would have both bindings rung.
    [Fact]
    public void A_registrar_that_does_not_tell_flows_apart_gets_one()
    {
        (_first.IsOutbound, _second.IsOutbound) = (false, false);
        Add();
        _network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal(AccountState.Registered, _phone.Account.State);
        Assert.Equal((1, 0), (_first.Bindings.Count, _second.Bindings.Count));
        Assert.Empty(_second.Requests);
    }

    [Fact]
    public void Where_the_second_server_does_not_tell_flows_apart_its_binding_is_removed_again()
    {
        _second.IsOutbound = false;
        Add();
        _network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal((AccountState.Registered, AccountState.Unregistered), (_phone.Account.Flows[0].State, _phone.Account.Flows[1].State));
        Assert.Equal((1, 0), (_first.Bindings.Count, _second.Bindings.Count));
    }

    [Fact]
    public void A_third_flow_waits_where_there_are_two_servers()
    {
        Add(flows: 3);
        _network.RunFor(TimeSpan.FromMinutes(2));

        Assert.Equal([AccountState.Registered, AccountState.Registered, AccountState.Waiting], _phone.Account.Flows.Select(flow => flow.State));
        Assert.StartsWith("No further server of example.com is to be asked yet", _phone.Account.Flows[2].Text, StringComparison.Ordinal);
        Assert.Equal((1, 1), (_first.Bindings.Count, _second.Bindings.Count));
    }

    [Fact]
    public void A_dead_edge_leaves_the_account_registered_by_the_other_one_and_is_taken_back_when_it_is_there_again()
    {
        Start();
        _first.IsSilent = true;
        Assert.True(_network.RunUntil(() => _phone.Account.Flows[0].State is AccountState.Waiting, TimeSpan.FromSeconds(60)));

        for (var minute = 0; minute < 30; minute++)
        {
            _network.RunFor(TimeSpan.FromMinutes(1));
            Assert.Equal((AccountState.Registered, SecondEdge), (_phone.Account.State, _phone.Account.Registrar.ToString()));
            Assert.Equal(["2"], RegIds(_second));
        }

        Assert.True(IsReachableBy(_second));
        _first.IsSilent = false;
        Assert.True(_network.RunUntil(() => _phone.Account.Flows[0].State is AccountState.Registered, TimeSpan.FromSeconds(45)));
        Assert.True(IsReachableBy(_first));
    }

    [Fact]
    public void Flows_go_by_the_proxies_that_were_named_for_them()
    {
        _phone.Names["edge1.example.com"] = [AccountScene.Udp(FirstEdge)];
        _phone.Names["edge2.example.com"] = [AccountScene.Udp(SecondEdge)];
        _phone.Add(SimulatedPhone.Options() with
        {
            Flows = 2,
            OutboundProxy = SipUri.Parse("sip:edge1.example.com"),
            FurtherProxies = [SipUri.Parse("sip:edge2.example.com;lr")],
        });

        Assert.True(_network.RunUntil(HasBoth, TimeSpan.FromSeconds(10)));

        Assert.All(_first.Requests.Where(IsRegister), request => Assert.Equal("<sip:edge1.example.com;lr>", request.Header("Route")));
        Assert.All(_second.Requests.Where(IsRegister), request => Assert.Equal("<sip:edge2.example.com;lr>", request.Header("Route")));
    }

    [Fact]
    public void A_call_that_hears_nothing_goes_on_by_the_other_flow()
    {
        Start();
        _first.IsSilent = true;
        var began = _network.Now;

        _phone.Call("sip:200@example.com");

        Assert.True(_network.RunUntil(() => _second.Requests.Any(IsInvite), TimeSpan.FromSeconds(10)));
        Assert.InRange((_network.Now - began).TotalSeconds, 6, 6.2);
        var invite = _second.Requests.First(IsInvite);
        Assert.Equal("1 INVITE", invite.CSeq);
        Assert.Equal("INVITE sip:200@example.com SIP/2.0", invite.StartLine);
    }

    [Theory]
    [InlineData("503 Busy")]
    [InlineData("430 Flow Failed")]
    public void A_call_that_an_edge_cannot_take_goes_on_by_the_other_flow_at_once(string answer)
    {
        Start();
        _first.Override = request => IsInvite(request) ? $"{answer}\r\n" : null;
        _second.Override = request => IsInvite(request) ? "486 Busy Here\r\n" : null;

        _phone.Call("sip:200@example.com");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal((1, 1), (_first.Requests.Count(IsInvite), _second.Requests.Count(IsInvite)));
        Assert.Equal(486, _phone.Calls[^1].Status);
    }

    [Fact]
    public void Where_every_flow_fails_the_call_ends_and_none_is_tried_twice()
    {
        Start();
        _first.Override = _second.Override = request => IsInvite(request) ? "503 Busy\r\n" : null;

        _phone.Call("sip:200@example.com");
        _network.RunFor(TimeSpan.FromMinutes(2));

        Assert.Equal((1, 1), (_first.Requests.Count(IsInvite), _second.Requests.Count(IsInvite)));
        Assert.Equal((503, true), (_phone.Calls[^1].Status, _phone.Calls[^1].IsComplete));
    }

    // Its answers were lost, and come after all.
    [Fact]
    public void A_call_that_was_given_up_and_is_accepted_late_is_acknowledged_and_ended()
    {
        Start();
        _first.Override = request => IsInvite(request) ? "200 OK\r\nContact: <sip:200@198.51.100.10:5060>\r\n" : null;
        _first.IsSilent = true;
        _second.Override = request => IsInvite(request) ? "180 Ringing\r\n" : null;
        _phone.Call("sip:200@example.com");
        Assert.True(_network.RunUntil(() => _second.Requests.Any(IsInvite), TimeSpan.FromSeconds(10)));

        // Its own repetitions go on for 32 s.
        _first.IsSilent = false;
        _network.RunFor(TimeSpan.FromSeconds(12));

        Assert.Contains(_first.Requests, request => request.Method == "ACK");
        Assert.Contains(_first.Requests, request => request.Method == "BYE");
        Assert.Equal(180, _phone.Calls[^1].Status);
    }

    // RFC 5627 §3.1 and §5.3, with the values of its §9.
    [Theory]
    [InlineData(GruuUse.Auto, true, true)]
    [InlineData(GruuUse.Auto, false, false)]
    [InlineData(GruuUse.Always, false, true)]
    [InlineData(GruuUse.Off, true, false)]
    public void The_contact_of_calls_is_the_gruu_that_the_registrar_gave(GruuUse use, bool isOutbound, bool isNamed)
    {
        const string Gruu = "sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        _first.Gruu = $";pub-gruu=\"{Gruu}\";temp-gruu=\"sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr\"";
        _first.Override = request => IsInvite(request) ? "486 Busy Here\r\n" : null;
        _first.IsOutbound = isOutbound;
        _phone.Add(SimulatedPhone.Options() with { Gruu = use });
        Assert.True(_network.RunUntil(() => _phone.Account.State is AccountState.Registered, TimeSpan.FromSeconds(10)));

        _phone.Call("sip:200@example.com");
        _network.RunFor(TimeSpan.FromSeconds(1));

        var invite = Assert.Single(_first.Requests, IsInvite);
        Assert.Equal(isNamed ? $"<{Gruu}>" : $"<sip:line@{_phone.Account.Contact}{(isOutbound ? ";ob" : "")}>", invite.Header("Contact"));
        Assert.Contains("gruu", invite.Header("Supported"), StringComparison.Ordinal);
        Assert.All(_first.Requests.Where(request => IsRegister(request) && request.Header("Contact") is not null), request => Assert.Equal(use is GruuUse.Off ? "path, outbound" : "path, outbound, gruu", request.Header("Supported")));
    }

    [Theory]
    [InlineData("sip:callee@example.com")]
    [InlineData("sip:a@b>,<sip:c@d;gr=x")]
    [InlineData("tel:+1;gr=x")]
    public void What_cannot_be_a_gruu_is_none(string gruu)
    {
        _first.Gruu = $";pub-gruu=\"{gruu}\"";
        _first.Override = request => IsInvite(request) ? "486 Busy Here\r\n" : null;
        Add(flows: 1);
        Assert.True(_network.RunUntil(() => _phone.Account.State is AccountState.Registered, TimeSpan.FromSeconds(10)));

        _phone.Call("sip:200@example.com");
        _network.RunFor(TimeSpan.FromSeconds(1));

        // The flow's own Contact says that requests are to come back by it (RFC 5626 §4.3).
        Assert.Equal($"<sip:line@{_phone.Account.Contact};ob>", Assert.Single(_first.Requests, IsInvite).Header("Contact"));
    }

    private static bool IsInvite(ScriptedSipMessage request) => request.Method == "INVITE";

    private static bool IsRegister(ScriptedSipMessage request) => request.Method == "REGISTER";

    private static IEnumerable<string?> RegIds(SimulatedRegistrar edge) =>
        edge.Requests.SelectMany(request => request.Headers("Contact")).Where(contact => ScriptedSipMessage.Parameter(contact, "expires") != "0").Select(contact => ScriptedSipMessage.Parameter(contact, "reg-id")).Distinct();

    private SimulatedRegistrar AddEdge(string address)
    {
        var edge = SimulatedRegistrar.AddTo(_network, address, "example.com", "secret");
        edge.IsOutbound = true;
        return edge;
    }

    private void Add(int flows = 2) => _phone.Add(SimulatedPhone.Options() with { Flows = flows });

    private void Start()
    {
        Add();
        Assert.True(_network.RunUntil(HasBoth, TimeSpan.FromSeconds(10)));
        _network.RunFor(TimeSpan.FromSeconds(1));
    }

    private bool HasBoth() => _phone.Account.Flows.All(flow => flow.State is AccountState.Registered);

    private bool IsReachableBy(SimulatedRegistrar edge)
    {
        var before = edge.Responses.Count;
        edge.Host.Run(now => edge.Call(now));
        _network.RunFor(TimeSpan.FromSeconds(2));
        return edge.Responses.Count > before;
    }
}
