using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Siprec;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Calls that are recorded: what the other side is told, what it may wish, and what the recording says.</summary>
public sealed class CallRecordingTests
{
    private readonly SimulatedNetwork _network = new(7);
    private readonly ScriptedPhone _phone;
    private readonly SimulatedCaller _caller;
    private readonly List<RecordingSnapshot> _told = [];
    private string _wish = "";

    public CallRecordingTests()
    {
        _phone = ScriptedPhone.AddTo(_network, "203.0.113.5:5060");
        _caller = SimulatedCaller.AddTo(_network, "198.51.100.7");
        _phone.OnRequest = request =>
        {
            var hasOffer = request.Method is "INVITE" or "UPDATE" && request.Body.Length > 0;
            if (request.Method != "ACK") _phone.Answer(request, "200 OK", hasOffer ? _phone.Sdp(more: _wish) : "", headers: "Allow: INVITE, ACK, BYE, UPDATE\r\n");
            if (hasOffer) _phone.Speak(RtpOf(request));
        };
    }

    [Fact]
    public void A_recording_tells_both_directions_and_is_complete_when_the_call_is_over()
    {
        Establish(new() { Recording = CallRecording.Kept });
        _network.RunFor(TimeSpan.FromSeconds(3));
        var running = Told();
        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var complete = Told();

        Assert.Equal("on", RecordOf(_phone.Last("INVITE")!));
        Assert.Equal((RecordingState.Recording, null), (running.State, running.EndReason));
        Assert.Equal((RecordingState.Complete, "We hang up.", _caller.Call.CallId), (complete.State, complete.EndReason, complete.CallId));
        Assert.Equal(["sip:100@203.0.113.5", ""], complete.Participants.Select(p => p.Aor));
        Assert.Equal([(0, "recvonly"), (1, "sendonly")], complete.Streams.Select(s => (s.Index, s.Direction)));
        Assert.All(complete.Streams, s => Assert.InRange(s.Report!.Stream.Files.Single().Duration.TotalSeconds, 2.8, 5));
        Assert.Contains(complete.Timeline, e => e.Kind == "established");
    }

    [Fact]
    public void A_call_that_its_owner_records_tells_so_and_is_no_recording()
    {
        Establish(new() { Recording = CallRecording.ByOwner });

        Assert.Equal("on", RecordOf(_phone.Last("INVITE")!));
        Assert.False(_caller.Core.TryTakeSnapshot(out _));
        _caller.Host.Run(now => Assert.False(_caller.Core.TryPause(now, _caller.Call.Id)));
    }

    [Fact]
    public void A_call_that_is_not_recorded_says_nothing_of_it()
    {
        Establish(new());

        Assert.Null(RecordOf(_phone.Last("INVITE")!));
        Assert.False(_caller.Core.TryTakeSnapshot(out _));
    }

    [Fact]
    public void A_pause_of_the_operator_is_told_and_so_is_its_end()
    {
        Establish(new() { Recording = CallRecording.Kept });
        _network.RunFor(TimeSpan.FromSeconds(1));

        Pause(true);
        Assert.Equal(("paused", RecordingState.Paused), (RecordOf(_phone.Last("UPDATE")!), Told().State));
        Pause(false);
        Assert.Equal(("on", RecordingState.Recording), (RecordOf(_phone.Last("UPDATE")!), Told().State));
        Assert.Equal(2, _phone.Count("UPDATE"));
        Assert.Equal(["paused", "resumed"], Told().Timeline.Select(e => e.Kind).Where(k => k is "paused" or "resumed"));
    }

    [Theory]
    [InlineData("pause", true, RecordingState.Paused)]
    [InlineData("off", true, RecordingState.Paused)]
    [InlineData("on", true, RecordingState.Recording)]
    [InlineData("nopreference", true, RecordingState.Recording)]
    [InlineData("pause", false, RecordingState.Recording)]
    public void A_wish_of_the_other_side_is_obeyed_where_it_may_be(string wish, bool obeys, RecordingState state)
    {
        _wish = $"a=recordpref:{wish}\r\n";
        Establish(new() { Recording = CallRecording.Kept, ObeysPreference = obeys });
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(state, Told().State);
        Assert.Equal(state is RecordingState.Paused ? "paused" : null, _phone.Last("UPDATE") is { } update ? RecordOf(update) : null);
        Assert.Equal(state is RecordingState.Paused ? 0 : 1, Told().Streams[0].Report!.Stream.Files.Count);
    }

    private void Establish(CallTerms terms)
    {
        _caller.Place(new CallRequest { Target = SipNat.Sip.Messages.SipUri.Parse("sip:100@203.0.113.5"), Terms = terms });
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(CallState.Established, _caller.Call.State);
    }

    private void Pause(bool paused)
    {
        _caller.Host.Run(now => Assert.True(paused ? _caller.Core.TryPause(now, _caller.Call.Id) : _caller.Core.TryResume(now, _caller.Call.Id)));
        _network.RunFor(TimeSpan.FromSeconds(1));
    }

    private RecordingSnapshot Told()
    {
        while (_caller.Core.TryTakeSnapshot(out var snapshot)) _told.Add(snapshot);
        return _told[^1];
    }

    private static string? RecordOf(ScriptedSipMessage message) =>
        message.Body.Split("\r\n").FirstOrDefault(l => l.StartsWith("a=record:", StringComparison.Ordinal))?[9..];

    private static TransportAddress RtpOf(ScriptedSipMessage description)
    {
        var lines = description.Body.Split("\r\n");
        var address = lines.First(l => l.StartsWith("c=", StringComparison.Ordinal)).Split(' ')[2];
        return TransportAddress.Parse($"{address}:{lines.First(l => l.StartsWith("m=", StringComparison.Ordinal)).Split(' ')[1]}");
    }
}
