using System.Buffers.Binary;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Simulation;
using SipNat.Sip.Sdp;
using SipNat.Wire;
using ReceivedDatagram = SipNat.Endpoint.Media.ReceivedDatagram;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>A media plane alone: its ports, and what it does without taking memory.</summary>
public sealed class MediaPlaneTests
{
    private static readonly TransportAddress Local = TransportAddress.Parse("198.51.100.10");
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.20:40000");
    private static readonly SessionId First = new("first");
    private static readonly SessionId Second = new("second");
    private static readonly Instant Start = new(0);

    private readonly Queue<MediaPortRequest> _requests = new();
    private readonly List<MediaEvent> _events = [];
    private int _lastFlow;

    [Fact]
    public void Spare_ports_are_kept_and_replaced_when_a_session_takes_some()
    {
        var plane = Plane(spares: 3);
        plane.Prepare(Local);
        Assert.Equal(3, BindAll(plane));

        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 2));
        Assert.Equal([2], OpenedPorts(plane));
        Assert.Equal(2, BindAll(plane));
        Assert.Empty(OpenedPorts(plane));
    }

    [Fact]
    public void Sessions_that_want_more_than_is_ready_are_each_asked_for()
    {
        var plane = Plane(spares: 0);
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 5));
        plane.HandleCommand(Start, new MediaCommand.Open(Second, Local, 5));

        Assert.Equal(10, BindAll(plane));
        Assert.Equal([5, 5], OpenedPorts(plane));
    }

    [Fact]
    public void A_refusal_in_between_is_remembered_until_everything_was_answered()
    {
        var plane = Plane(spares: 0);
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 3));
        TakeRequests(plane);
        Refuse(plane);
        Bind(plane);
        TakeEvents(plane);
        Assert.Empty(_events);
        Bind(plane);
        TakeEvents(plane);

        Assert.Equal([new MediaEvent.Refused(First, "taken")], _events);
        Assert.Equal(0, plane.Sessions);
        TakeRequests(plane);
        Assert.Empty(_requests);

        // What was bound for it serves the next one.
        plane.HandleCommand(Start, new MediaCommand.Open(Second, Local, 2));
        Assert.Equal([2], OpenedPorts(plane));
    }

    [Fact]
    public void More_ports_that_are_refused_leave_the_session_with_those_it_has()
    {
        var plane = Plane(spares: 0);
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 1));
        BindAll(plane);
        TakeEvents(plane);
        plane.HandleCommand(Start, new MediaCommand.AddPorts(First, 1));
        TakeRequests(plane);
        Refuse(plane);
        TakeEvents(plane);
        Assert.Equal(new MediaEvent.Refused(First, "taken"), _events[^1]);
        Assert.Equal(1, plane.Sessions);

        plane.HandleCommand(Start, new MediaCommand.AddPorts(First, 1));
        Assert.Equal(1, BindAll(plane));
        Assert.Equal([2], OpenedPorts(plane));
    }

    [Fact]
    public void A_second_session_of_the_same_id_and_one_with_too_many_media_are_refused()
    {
        var plane = Plane(spares: 0);
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 0));
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 1));
        plane.HandleCommand(Start, new MediaCommand.Open(Second, Local, 65));
        TakeEvents(plane);

        Assert.IsType<MediaEvent.Opened>(_events[0]);
        Assert.Equal([First, Second], _events.OfType<MediaEvent.Refused>().Select(e => e.Session));
    }

    [Fact]
    public void Ports_of_an_ended_session_are_closed_and_what_still_comes_is_counted()
    {
        var plane = Plane(spares: 0);
        var flows = Open(plane);
        plane.HandleCommand(Start, new MediaCommand.Close(First, PeerIsGone: false));
        TakeRequests(plane);

        Assert.Equal([new MediaPortRequest.Close(flows)], _requests);
        plane.HandleDatagram(Start, Start, flows.Rtp, Peer, Frame(0));
        Assert.Equal(1, plane.Unowned);
        TakeEvents(plane);
        Assert.IsType<MediaEvent.Closed>(_events[^1]);
        Assert.Null(plane.Deadline);
    }

    [Fact]
    public void Audio_of_a_socket_that_is_visited_leaves_with_a_visit_and_by_a_deadline_once_visits_are_over()
    {
        var plane = Plane(spares: 0);
        var flows = Open(plane);
        var sent = 0;

        Visit(200, frames: 10, isVisited: true);
        Visit(400, frames: 10, isVisited: true);
        Assert.Empty(TakeAudio(plane));

        // The first frame came at 20 ms: it is 0.75 s old before the next visit.
        Visit(600, frames: 0, isVisited: true);
        Assert.Equal([(0L, 20 * ScriptedFrame.Length)], TakeAudio(plane));

        // The first of these came at 720 ms; they do not reach the end of the page.
        Visit(800, frames: 5, isVisited: true);
        plane.HandleTimeout(At(800));
        Assert.NotEqual(At(720 + 750), plane.Deadline);
        Visit(1000, frames: 0, isVisited: false);
        Assert.True(plane.Deadline <= At(720 + 750));
        plane.HandleTimeout(At((720 + 750) - 1));
        Assert.Empty(TakeAudio(plane));
        plane.HandleTimeout(At(720 + 750));
        Assert.Equal([(20L * ScriptedFrame.Length, 5 * ScriptedFrame.Length)], TakeAudio(plane));

        static Instant At(double milliseconds) => Start + TimeSpan.FromMilliseconds(milliseconds);

        void Visit(double at, int frames, bool isVisited)
        {
            var bytes = new List<byte>();
            var received = new List<ReceivedDatagram>();
            for (var i = frames - 1; i >= 0; i--)
            {
                var frame = Frame(sent);
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)sent);
                BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), (uint)(sent++ * ScriptedFrame.Length));
                received.Add(new(At(at - (20 * i)), Peer, bytes.Count, frame.Length));
                bytes.AddRange(frame);
            }

            plane.HandleBatch(At(at), flows.Rtp, received.ToArray(), bytes.ToArray(), isVisited);
        }
    }

    [Fact]
    public void A_recording_tells_of_itself_every_five_seconds_again_once_the_crowd_has_left()
    {
        const int Crowd = 2_000;
        var plane = Plane(spares: 0);
        var flows = Open(plane);
        for (var i = 0; i < Crowd; i++) plane.HandleCommand(Start, new MediaCommand.Open(new($"crowd {i}"), Local, 1));
        BindAll(plane);
        var inCrowd = ReportTimes(0, 60);
        for (var i = 0; i < Crowd; i++) plane.HandleCommand(Start + TimeSpan.FromSeconds(60), new MediaCommand.Close(new($"crowd {i}"), PeerIsGone: false));
        var alone = ReportTimes(60, 120);

        // 2,001 sessions at a hundred reports a second.
        Assert.Equal([20.01, 20.01], inCrowd.Zip(inCrowd.Skip(1), (a, b) => Math.Round(b - a, 2)).TakeLast(2), (a, b) => Math.Abs(a - b) < 0.03);
        Assert.All(alone.Zip(alone.Skip(1), (a, b) => b - a), gap => Assert.InRange(gap, 4.97, 5.03));
        Assert.InRange(alone.Count, 8, 13);

        List<double> ReportTimes(int from, int to)
        {
            var told = new List<double>();
            for (var i = from * 50; i < to * 50; i++)
            {
                var now = Start + (ScriptedFrame.Span * i);
                plane.HandleDatagram(now, now, flows.Rtp, Peer, Frame(i));
                if (plane.Deadline <= now) plane.HandleTimeout(now);
                while (plane.TryTakeWrite(out var write)) write.Buffer?.Dispose();
                while (plane.Outbox.TryTake(out var transmit)) plane.Outbox.Release(transmit);
                while (plane.TryTakeEvent(out var happened))
                {
                    if (happened is MediaEvent.Reported) told.Add(i * ScriptedFrame.Span.TotalSeconds);
                }
            }

            return told;
        }
    }

    [Fact]
    public void A_packet_in_a_steady_stream_takes_no_memory()
    {
        const int Warm = 5_000;
        const int Measured = 20_000;
        var plane = Plane(spares: 0);
        var flows = Open(plane);
        var frame = Frame(0);
        var now = Start;
        var taken = new List<long>(Measured);
        for (var i = 0; i < Warm + Measured; i++)
        {
            now += ScriptedFrame.Span;
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), unchecked((ushort)i));
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), (uint)(i * ScriptedFrame.Length));
            var before = GC.GetAllocatedBytesForCurrentThread();
            plane.HandleDatagram(now, now, flows.Rtp, Peer, frame);
            var after = GC.GetAllocatedBytesForCurrentThread();
            if (i >= Warm) taken.Add(after - before);

            // Reports, writes and keepalives are not the packet's.
            if (plane.Deadline <= now) plane.HandleTimeout(now);
            while (plane.TryTakeWrite(out var write)) write.Buffer?.Dispose();
            while (plane.TryTakeEvent(out _))
            {
            }

            while (plane.Outbox.TryTake(out var transmit)) plane.Outbox.Release(transmit);
        }

        // Every 26th packet fills a block on its way to the disk, which is pooled as well. A test beside this one takes some from
        // the pool.
        taken.Sort();
        Assert.Equal((0, 0), (taken[Measured * 95 / 100], taken[Measured * 98 / 100]));
    }

    private static MediaPlane Plane(int spares) => new(new() { SparePorts = spares }, new Random(1));

    private MediaPortFlows Open(MediaPlane plane)
    {
        plane.HandleCommand(Start, new MediaCommand.Open(First, Local, 1));
        TakeRequests(plane);
        var flows = Bind(plane);
        var stream = new MediaStreamSettings(0, 0, [new(0, PayloadFormat.Pcmu)], Peer, Peer.WithPort(Peer.Port + 1), RtcpMux: false, ShouldSend: true);
        plane.HandleCommand(Start, new MediaCommand.Configure(First, new(Peer.WithPort(5060), Acknowledged: true, Paused: false, [stream])));
        return flows;
    }

    private static byte[] Frame(int index)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x1234);
        ScriptedFrame.Fill(0, index, packet.AsSpan(12));
        return packet;
    }

    private void TakeRequests(MediaPlane plane)
    {
        while (plane.TryTakePortRequest(out var request)) _requests.Enqueue(request);
    }

    private MediaPortFlows Bind(MediaPlane plane)
    {
        _requests.TryDequeue(out _);
        var port = 10_000 + (2 * _lastFlow);
        var flows = new MediaPortFlows(new(++_lastFlow), Local.WithPort(port), new(++_lastFlow), Local.WithPort(port + 1));
        plane.HandlePortBound(Start, flows);
        return flows;
    }

    private void Refuse(MediaPlane plane)
    {
        _requests.TryDequeue(out _);
        plane.HandlePortRefused(Start, Local, "taken");
    }

    // Binds whatever is asked for, and tells how much that was.
    private int BindAll(MediaPlane plane)
    {
        var count = 0;
        for (TakeRequests(plane); _requests.Count > 0; TakeRequests(plane), count++) Bind(plane);
        return count;
    }

    private IReadOnlyList<int> OpenedPorts(MediaPlane plane)
    {
        _events.Clear();
        TakeEvents(plane);
        return [.. _events.OfType<MediaEvent.Opened>().Select(e => e.Ports.Count)];
    }

    private void TakeEvents(MediaPlane plane)
    {
        while (plane.TryTakeEvent(out var happened)) _events.Add(happened);
    }

    private static List<(long Offset, int Length)> TakeAudio(MediaPlane plane)
    {
        var taken = new List<(long, int)>();
        while (plane.TryTakeWrite(out var write))
        {
            if (write.Buffer is not { } buffer) continue;

            taken.Add((buffer.Offset, buffer.Length));
            buffer.Dispose();
        }

        return taken;
    }
}
