using System.Net.Sockets;
using SipNat.Bench.Siprec;

namespace SipNat.Lab.Tests.Bench;

/// <summary>The client itself, against a recorder that does what the test says.</summary>
public sealed class SiprecClientTests
{
    [Fact]
    public async Task Session_sends_every_frame_and_ends_with_bye()
    {
        await using var recorder = new ScriptedRecorder();

        var report = await RunAsync(recorder, new() { Server = recorder.EndPoint, Duration = Seconds(1) });

        Assert.Equal((SiprecOutcome.Recorded, 200, SessionEnd.Client), (report.Result, report.Status, report.EndedBy));
        Assert.Empty(report.Defects);
        Assert.Equal(["INVITE", "ACK", "BYE"], recorder.Requests.Select(Method));
        Assert.Equal([50, 50], report.Streams.Select(stream => stream.Packets));
        Assert.All(report.Streams, stream => Assert.Equal([new SentSegment(0, 50)], stream.Segments));
        for (var stream = 0; stream < 2; stream++)
        {
            var timestamps = recorder.Frames(stream).Select(frame => frame.Timestamp - report.Streams[stream].FirstTimestamp);
            Assert.Equal(Enumerable.Range(0, 50).Select(frame => (uint)frame * 160), timestamps);
        }
    }

    [Fact]
    public async Task Invite_names_the_session_as_rfc_7866_asks()
    {
        await using var recorder = new ScriptedRecorder();

        await RunAsync(recorder, new() { Server = recorder.EndPoint, Duration = TimeSpan.Zero });

        var invite = recorder.Requests[0];
        Assert.Contains("\r\nRequire: siprec\r\n", invite, StringComparison.Ordinal);
        Assert.Contains(";+sip.src\r\n", invite, StringComparison.Ordinal);
        Assert.Contains("Content-Type: multipart/mixed;boundary=", invite, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n", invite, StringComparison.Ordinal);
        Assert.Equal(2, invite.Split("a=sendonly\r\n").Length - 1);
        Assert.Contains("<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">", invite, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Held_session_sends_nothing_and_its_rtp_clock_runs_on()
    {
        await using var recorder = new ScriptedRecorder();
        var options = new SiprecClientOptions { Server = recorder.EndPoint, Duration = Seconds(1.5), HoldAt = Seconds(0.5), ResumeAt = Seconds(1) };

        var report = await RunAsync(recorder, options);

        Assert.Equal(["INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK", "BYE"], recorder.Requests.Select(Method));
        Assert.Contains("a=inactive", recorder.Requests[2], StringComparison.Ordinal);
        Assert.Contains("a=sendonly", recorder.Requests[4], StringComparison.Ordinal);
        var segments = report.Streams[0].Segments;
        Assert.Equal(2, segments.Count);
        Assert.InRange(segments[1].StartSeconds, 0.9, 1.2);
        Assert.Equal(segments.Sum(segment => segment.Frames), report.Streams[0].Packets);
        var jump = recorder.Frames(0)[segments[0].Frames].Timestamp - recorder.Frames(0)[0].Timestamp;
        Assert.Equal(segments[1].StartSeconds * 8000, jump, 0.5);
    }

    [Fact]
    public async Task Moved_session_goes_on_from_another_port_without_a_gap()
    {
        await using var recorder = new ScriptedRecorder();

        var report = await RunAsync(recorder, new() { Server = recorder.EndPoint, Duration = Seconds(1), MoveAt = Seconds(0.5) });

        Assert.Equal(2, recorder.Frames(0).Select(frame => frame.From).Distinct().Count());
        Assert.Equal([new SentSegment(0, 50)], report.Streams[0].Segments);
    }

    [Fact]
    public async Task Recorders_requests_are_answered_and_its_bye_ends_the_session()
    {
        await using var recorder = new ScriptedRecorder();
        var running = RunAsync(recorder, new() { Server = recorder.EndPoint, Duration = Seconds(0.2), WaitForBye = Seconds(10) });
        while (recorder.Frames(0).Count == 0) await Task.Delay(20, TestContext.Current.CancellationToken);

        await recorder.AskAsync("OPTIONS", 1);
        await recorder.AskAsync("UPDATE", 2);
        await recorder.AskAsync("PUBLISH", 3);
        await recorder.AskAsync("BYE", 4);
        var report = await running;

        Assert.Equal(["SIP/2.0 200 OK OPTIONS", "SIP/2.0 200 OK UPDATE", "SIP/2.0 405 Method Not Allowed PUBLISH", "SIP/2.0 200 OK BYE"], recorder.Responses);
        Assert.Equal(SessionEnd.Recorder, report.EndedBy);
        Assert.Equal(["OPTIONS", "UPDATE", "PUBLISH", "BYE"], report.Requests.Select(request => request.Method));
    }

    [Fact]
    public async Task Lost_invite_is_sent_again_after_half_a_second()
    {
        await using var recorder = new ScriptedRecorder { InvitesToLose = 1 };

        var report = await RunAsync(recorder, new() { Server = recorder.EndPoint, Duration = TimeSpan.Zero });

        Assert.Equal(["INVITE", "INVITE", "ACK", "BYE"], recorder.Requests.Select(Method));
        Assert.InRange(report.AnswerMilliseconds!.Value, 450, 900);
    }

    [Fact]
    public async Task Refusal_is_acknowledged_and_reported()
    {
        await using var recorder = new ScriptedRecorder { Refusal = "403 Forbidden" };

        var report = await RunAsync(recorder, new() { Server = recorder.EndPoint });

        Assert.Equal((SiprecOutcome.Rejected, 403, "Forbidden"), (report.Result, report.Status, report.Reason));
        await recorder.Acknowledged.WaitAsync(Seconds(5), TestContext.Current.CancellationToken);
        Assert.Equal(["INVITE", "ACK"], recorder.Requests.Select(Method));
    }

    [Fact]
    public async Task Silent_server_is_reported_as_no_answer()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        using var client = new SiprecClient(new() { Server = (System.Net.IPEndPoint)silent.LocalEndPoint!, AnswerTimeout = Seconds(0.3) }, TextWriter.Null);

        var report = await client.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(SiprecOutcome.NoAnswer, report.Result);
    }

    private static async Task<SiprecClientReport> RunAsync(ScriptedRecorder recorder, SiprecClientOptions options)
    {
        using var client = new SiprecClient(options with { Server = recorder.EndPoint }, TextWriter.Null);
        return await client.RunAsync(TestContext.Current.CancellationToken);
    }

    private static string Method(string request) => request.Split(' ')[0];

    private static TimeSpan Seconds(double value) => TimeSpan.FromSeconds(value);
}
