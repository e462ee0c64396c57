using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>The less usual ways of a call (RFC 3261, 3262, 3515), with SIPp as the other side, which forgives nothing.</summary>
public sealed class SippCallTests
{
    private const string Peer = "203.0.113.20";
    private const string Own = "203.0.113.10";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static SippScenario Scenario => new();

    // Each is a way to an answered call that SIPp or the program ends.
    public static TheoryData<string> Answered => ["early media", "provisional responses that are acknowledged", "hold and resume", "a lost ACK", "an answer without ringing", "an OPTIONS in the dialog"];

    [Theory]
    [MemberData(nameof(Answered))]
    public async Task A_call_is_answered_with(string way)
    {
        var scenario = way switch
        {
            "early media" => Scenario.ReceiveInvite().Answer(100).Answer(183, "sendrecv").Pause(1000).Answer(200, "sendrecv").Receive("ACK").ReceiveAndAgree("BYE"),
            "provisional responses that are acknowledged" =>
                Scenario.ReceiveInvite().Answer(183, "sendrecv", "Require: 100rel\nRSeq: 4711").ReceiveAndAgree("PRACK").Answer(200).Receive("ACK").ReceiveAndAgree("BYE"),
            "hold and resume" => Scenario.ReceiveInvite().Answer(180).Answer(200, "sendrecv").Receive("ACK").Pause(500)
                .Send("INVITE", "sendonly").ReceiveResponse(200, 100).Acknowledge().Pause(500)
                .Send("INVITE", "sendrecv").ReceiveResponse(200, 100).Acknowledge().ReceiveAndAgree("BYE"),
            "a lost ACK" => Scenario.ReceiveInvite().Answer(200, "sendrecv", isRepeated: false).Receive("ACK").Pause(500).RepeatAnswer(200).Receive("ACK").ReceiveAndAgree("BYE"),
            "an answer without ringing" => Scenario.ReceiveInvite().Answer(200, "sendrecv").Receive("ACK").ReceiveAndAgree("BYE"),
            "an OPTIONS in the dialog" => Scenario.ReceiveInvite().Answer(200, "sendrecv").Receive("ACK").Send("OPTIONS").ReceiveResponse(200).ReceiveAndAgree("BYE"),
            _ => throw new ArgumentOutOfRangeException(nameof(way)),
        };
        await using var lab = await CreateAsync();
        await using var peer = await SippPeer.ListenAsync(lab.Host("hostB"), scenario);
        await using var call = Call(lab, "--duration", "3");

        await peer.AssertPassedAsync();
        await call.WaitForExitAsync(Limit, Cancel);

        var report = Report(call);
        Assert.Equal(("answered", 200), (report.GetProperty("result").GetString(), report.GetProperty("status").GetInt32()));
        if (way == "hold and resume") Assert.Equal(["recvonly", "sendrecv"], Directions(peer.Messages).TakeLast(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_INVITE_takes_the_transport_that_the_other_side_has(bool isTcp)
    {
        var scenario = Scenario.ReceiveInvite().Answer(180).Answer(200, "sendrecv").Receive("ACK").ReceiveAndAgree("BYE");
        await using var lab = await CreateAsync();
        await using var peer = await SippPeer.ListenAsync(lab.Host("hostB"), scenario, isTcp: isTcp);
        await using var call = Start(lab, "call", [$"sip:{new string('a', 600)}@{Peer}:5060", "--json", "--duration", "2"]);

        await peer.AssertPassedAsync();
        await call.WaitForExitAsync(Limit, Cancel);

        Assert.Equal(("answered", 200), (Report(call).GetProperty("result").GetString(), Report(call).GetProperty("status").GetInt32()));
        Assert.Contains($"Via: SIP/2.0/{(isTcp ? "TCP" : "UDP")} {Own}", peer.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_busy_telephone_is_told_with_its_status()
    {
        await using var lab = await CreateAsync();
        await using var peer = await SippPeer.ListenAsync(lab.Host("hostB"), Scenario.ReceiveInvite().Answer(180).Answer(486).Receive("ACK"));
        await using var call = Call(lab);

        await peer.AssertPassedAsync();

        Assert.Equal(1, await call.WaitForExitAsync(Limit, Cancel));
        Assert.Equal(("rejected", 486), (Report(call).GetProperty("result").GetString(), Report(call).GetProperty("status").GetInt32()));
    }

    [Fact]
    public async Task Ctrl_C_while_it_rings_cancels_the_call()
    {
        await using var lab = await CreateAsync();
        await using var peer = await SippPeer.ListenAsync(lab.Host("hostB"), Scenario.ReceiveInvite().Answer(180).ReceiveAndAgree("CANCEL").Answer(487).Receive("ACK"));
        await using var call = Call(lab, "--verbose");

        await InterruptAsync(lab, call);

        await peer.AssertPassedAsync();
        Assert.Equal(130, await call.WaitForExitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task An_answer_that_crosses_a_CANCEL_is_acknowledged_and_hung_up()
    {
        await using var lab = await CreateAsync();
        await using var peer = await SippPeer.ListenAsync(
            lab.Host("hostB"), Scenario.ReceiveInvite().Answer(180).ReceiveAndAgree("CANCEL").Answer(200, "sendrecv").Receive("ACK").ReceiveAndAgree("BYE"));
        await using var call = Call(lab, "--verbose");

        await InterruptAsync(lab, call);

        await peer.AssertPassedAsync();
        Assert.Equal(130, await call.WaitForExitAsync(Limit, Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_redirect_is_followed_to_allowed_hosts_only(bool allowed)
    {
        await using var lab = await CreateAsync();
        await using var first = await SippPeer.ListenAsync(
            lab.Host("hostB"), Scenario.ReceiveInvite().Answer(302, header: $"Contact: <sip:other@{Peer}:5062>", hasContact: false).Receive("ACK"));
        await using var second = await SippPeer.ListenAsync(
            lab.Host("hostB"), Scenario.ReceiveInvite().Answer(200, "sendrecv").Receive("ACK").ReceiveAndAgree("BYE"), 5062);
        await using var call = Call(lab, ["--duration", "2", "--set", $"Calls:AllowedTargets:0={(allowed ? Peer : "198.51.100.1")}"]);

        await first.AssertPassedAsync();
        if (allowed) await second.AssertPassedAsync();
        await call.WaitForExitAsync(Limit, Cancel);

        Assert.Equal(allowed ? "answered" : "failed", Report(call).GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_transfer_begins_a_call_to_an_allowed_target_and_tells_how_it_goes()
    {
        await using var lab = await CreateAsync();
        await using var first = await SippPeer.ListenAsync(
            lab.Host("hostB"),
            Scenario.ReceiveInvite().Answer(200, "sendrecv").Receive("ACK").Pause(500)
                .Send("REFER", header: $"Refer-To: <sip:other@{Peer}:5062>").ReceiveResponse(202).ReceiveAndAgree("NOTIFY").ReceiveAndAgree("NOTIFY").Send("BYE").ReceiveResponse(200));
        await using var second = await SippPeer.ListenAsync(
            lab.Host("hostB"), Scenario.ReceiveInvite().Answer(200, "sendrecv").Receive("ACK").Pause(2000).Send("BYE").ReceiveResponse(200), 5062);
        await using var call = Call(lab, ["--duration", "8", "--set", $"Calls:AllowedTargets:0={Peer}"]);

        await first.AssertPassedAsync();
        await second.AssertPassedAsync();
        await call.WaitForExitAsync(Limit, Cancel);

        Assert.Contains("SIP/2.0 200", first.Messages, StringComparison.Ordinal);
    }

    public static TheoryData<string> Incoming => ["a delayed offer", "hold and resume by INVITE", "hold and resume by UPDATE", "a BYE"];

    [Theory]
    [MemberData(nameof(Incoming))]
    public async Task A_call_comes_in_with(string way)
    {
        var scenario = way switch
        {
            "a delayed offer" => Scenario.SendInvite(null).ReceiveAnswer(100, 180).Acknowledge("sendrecv"),
            "hold and resume by INVITE" => Scenario.SendInvite().ReceiveAnswer(100, 180).Acknowledge().Pause(300)
                .Send("INVITE", "sendonly").ReceiveResponse(200, 100).Acknowledge().Pause(500).Send("INVITE", "sendrecv").ReceiveResponse(200, 100).Acknowledge(),
            "hold and resume by UPDATE" => Scenario.SendInvite().ReceiveAnswer(100, 180).Acknowledge().Pause(300)
                .Send("UPDATE", "sendonly").ReceiveResponse(200).Pause(500).Send("UPDATE", "sendrecv").ReceiveResponse(200),
            "a BYE" => Scenario.SendInvite().ReceiveAnswer(100, 180).Acknowledge(),
            _ => throw new ArgumentOutOfRangeException(nameof(way)),
        };
        await using var lab = await CreateAsync();
        await using var answer = Start(lab, "answer", "--set", $"Sip:Listen:0=udp://{Own}:5060", "--set", "Sip:AllowedNetworks:0=203.0.113.0/24");
        await answer.WaitForTextAsync("waits for a call", Limit, Cancel);
        await using var peer = SippPeer.Call(lab.Host("hostB"), scenario.Pause(1000).Send("BYE").ReceiveResponse(200), "anyone", $"{Own}:5060");

        await peer.AssertPassedAsync();
        await answer.WaitForExitAsync(Limit, Cancel);

        Assert.Contains("result", answer.Output, StringComparison.Ordinal);
        Assert.Contains("answered", answer.Output, StringComparison.Ordinal);
        if (way.StartsWith("hold", StringComparison.Ordinal)) Assert.Equal(["recvonly", "sendrecv"], Directions(peer.Messages).TakeLast(2));
    }

    private static Task<NatLaboratory> CreateAsync() => Laboratory.CreateAsync(new() { Left = NatBehaviour.Open, Right = NatBehaviour.Open }, SippPeer.Program);

    private static LabProcess Call(NatLaboratory lab, params string[] arguments) => Start(lab, "call", [$"sip:test@{Peer}:5060", "--json", .. arguments]);

    private static LabProcess Start(NatLaboratory lab, string command, params string[] arguments) =>
        lab.Host("hostA").Start(ServerProcess.DotnetPath, [SipNatClient.ServerPath, command, "--set", "Nat:Ice=Off", .. arguments]);

    // The program says nothing of ringing with --json: the packet does.
    private static async Task InterruptAsync(NatLaboratory lab, LabProcess call)
    {
        var ringing = await lab.Host("hostA").CountAsync("udp sport 5060", Cancel);
        while (await ringing.ReadAsync(Cancel) == 0) await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
        await Task.Delay(TimeSpan.FromMilliseconds(500), Cancel);
        call.Interrupt();
    }

    private static JsonElement Report(LabProcess call)
    {
        using var report = JsonDocument.Parse(call.Output);
        return report.RootElement.Clone();
    }

    // Those of the program's descriptions: SIPp's own come from "sipp".
    private static IEnumerable<string> Directions(string messages)
    {
        var isOwn = false;
        foreach (var line in messages.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            if (line.StartsWith("o=", StringComparison.Ordinal)) isOwn = !line.StartsWith("o=sipp ", StringComparison.Ordinal);
            if (isOwn && line is ("a=sendrecv" or "a=recvonly" or "a=sendonly" or "a=inactive")) yield return line[2..];
        }
    }
}
