namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Session timers (RFC 4028) in a dialog, in both roles.</summary>
public sealed class SessionRefreshTests
{
    private readonly RecorderScene _scene = new(seed: 80);
    private readonly ManualClient _client;

    public SessionRefreshTests() => _client = ManualClient.AddTo(_scene);

    [Fact]
    public void A_client_that_refreshes_keeps_the_session_and_one_that_stops_loses_it()
    {
        _client.Establish(headers: Expires(90, "uac"));
        Assert.Equal(("90;refresher=uac", "timer"), (_client.LastResponse.Header("Session-Expires"), _client.LastResponse.Header("Require")));
        for (var i = 0; i < 5; i++)
        {
            _client.RunFor(45);
            _client.Send("UPDATE", headers: Expires(90, "uac"));
            _client.RunFor(0.1);
            Assert.Equal(("", "90;refresher=uac"), (_client.LastResponse.Body, _client.LastResponse.Header("Session-Expires")));
        }

        _client.RunFor(59.5);
        Assert.Empty(_client.Methods);
        _client.RunFor(1);

        Assert.Equal(["BYE"], _client.Methods);
        Assert.Equal("The session was not refreshed.", _scene.Session.Snapshot.EndReason);
        Assert.Equal(["metadata-missing", "session-lost"], _scene.Session.Findings.Except(["no-media"]));
    }

    [Fact]
    public void A_session_that_is_ours_to_refresh_is_refreshed_by_update_at_half_of_its_interval()
    {
        _client.Establish(headers: Expires(120, "uas"));
        Assert.Equal(("120;refresher=uas", null), (_client.LastResponse.Header("Session-Expires"), _client.LastResponse.Header("Require")));
        _client.AnswerHeaders = _ => ["Session-Expires: 120;refresher=uac"];
        _client.RunFor(310);

        Assert.Equal(["UPDATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE"], _client.Methods);
        Assert.All(_client.Requests, r => Assert.Equal(("120;refresher=uac", ""), (r.Header("Session-Expires"), r.Body)));
        Assert.Equal([60, 120, 180, 240, 300], _client.Sip.Where(s => !s.Message.IsResponse).Select(s => (int)Math.Round((s.At - _client.Sip[0].At).TotalSeconds)));
    }

    [Fact]
    public void A_client_that_does_not_take_update_is_refreshed_by_invite()
    {
        _client.Send("INVITE", ManualClient.Sdp(), headers: [.. Expires(120, "uas"), "Allow: INVITE, ACK, BYE"]);
        _client.RunFor(0.1);
        var answer = _client.LastResponse.Body;
        _client.Acknowledge();
        _client.Answer = request => request.Method is "UPDATE" ? 405 : 200;
        _client.RunFor(125);

        Assert.Equal(["UPDATE", "INVITE", "ACK", "INVITE", "ACK"], _client.Methods);
        Assert.All(_client.Requests.Where(r => r.Method is "INVITE"), r => Assert.Equal(answer, r.Body));
        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_refresh_that_is_too_short_for_the_client_is_repeated_with_its_minimum() // RFC 4028 §7.3
    {
        _client.Establish(headers: Expires(100, "uas"));
        _client.Answer = request => request.Header("Min-SE") is null ? 422 : 200;
        _client.AnswerHeaders = request => request.Header("Min-SE") is null ? ["Min-SE: 400"] : ["Session-Expires: 400;refresher=uac"];
        _client.RunFor(300);

        Assert.Equal(["UPDATE", "UPDATE", "UPDATE"], _client.Methods);
        Assert.Equal(["100;refresher=uac", "400;refresher=uac", "400;refresher=uac"], _client.Requests.Select(r => r.Header("Session-Expires")));
        Assert.Equal([50, 50, 250], _client.Sip.Where(s => !s.Message.IsResponse).Select(s => (int)Math.Round((s.At - _client.Sip[0].At).TotalSeconds)));
    }

    [Fact]
    public void A_refresh_that_meets_glare_is_repeated_within_two_seconds()
    {
        _client.Establish(headers: Expires(100, "uas"));
        var isFirst = true;
        _client.Answer = _ =>
        {
            var status = isFirst ? 491 : 200;
            isFirst = false;
            return status;
        };
        _client.RunFor(52.1);

        Assert.Equal(["UPDATE", "UPDATE"], _client.Methods);
    }

    [Fact]
    public void The_other_side_may_take_over_the_refreshing()
    {
        _client.Establish(headers: Expires(100, "uas"));
        _client.AnswerHeaders = _ => ["Session-Expires: 100;refresher=uas"];
        _client.RunFor(110);

        // From the answer on it is the client's task; it does not do it.
        Assert.Equal(["UPDATE"], _client.Methods);
        _client.RunFor(20);
        Assert.Equal(["UPDATE", "BYE"], _client.Methods);
    }

    [Theory]
    [InlineData(481)]
    [InlineData(408)]
    [InlineData(null)]
    public void A_refresh_that_finds_nobody_ends_the_session(int? status)
    {
        _client.Establish(headers: Expires(200, "uas"));
        _client.Answer = request => request.Method is "UPDATE" ? status : 200;
        _client.RunFor(150);

        Assert.Equal("BYE", _client.Methods[^1]);
        Assert.Contains("session-lost", _scene.Session.Findings);
        Assert.Equal(0, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_refresh_that_is_refused_is_tried_again_until_the_time_is_over()
    {
        _client.Establish(headers: Expires(120, "uas"));
        _client.Answer = request => request.Method is "UPDATE" ? 500 : 200;
        _client.RunFor(100);

        Assert.Equal(["UPDATE", "UPDATE", "UPDATE", "BYE"], _client.Methods);
        Assert.Equal("The session was not refreshed.", _scene.Session.Snapshot.EndReason);
    }

    [Fact]
    public void An_interval_below_90_seconds_is_refused_and_one_without_end_is_none() // RFC 4028 §4
    {
        _client.Send("INVITE", ManualClient.Sdp(), headers: Expires(89, "uac"));
        _client.RunFor(0.1);
        Assert.Equal((422, "90"), (_client.LastResponse.Status, _client.LastResponse.Header("Min-SE")));
        _client.Acknowledge();

        _client.Establish();
        Assert.Null(_client.LastResponse.Header("Session-Expires"));
        _client.RunFor(200);
        Assert.Empty(_client.Methods);
    }

    [Theory]
    [InlineData("full cone")]
    [InlineData("address-restricted")]
    [InlineData("port-restricted")]
    [InlineData("symmetric")]
    public void A_refresh_reaches_a_client_behind_a_nat_over_its_flow(string kind)
    {
        var scene = new RecorderScene(seed: 81);
        var peer = scene.AddClient(
            new() { Server = default, Duration = null, ExtraHeaders = ["Supported: timer", "Session-Expires: 90;refresher=uas"] },
            RecorderScene.Nat(kind));
        scene.RunFor(100);

        Assert.Equal(2, peer.Requests.Count(r => r.Method is "UPDATE"));
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    private static string[] Expires(int seconds, string refresher) => ["Supported: timer", $"Session-Expires: {seconds};refresher={refresher}"];
}
