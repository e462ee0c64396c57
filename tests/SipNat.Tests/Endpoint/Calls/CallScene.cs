using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>A media plane with one call, and a far end, in virtual time.</summary>
internal sealed class CallScene
{
    public static readonly TransportAddress Local = TransportAddress.Parse("198.51.100.10");
    public static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.20:40000");
    public static readonly SessionId Id = new("call");
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly PriorityQueue<(FlowId Flow, byte[] Bytes), (long, int)> _inbound = new();
    private readonly Dictionary<int, byte[]> _kept = [];
    private MediaPortFlows _flows;
    private int _order;
    private int _outbound;

    public CallScene(CallAudioSettings audio, AudioFarEnd farEnd, params IReadOnlyList<PayloadMapping> payloads)
        : this(new() { SparePorts = 0 }, audio, farEnd, payloads)
    {
    }

    public CallScene(MediaPlaneOptions options, CallAudioSettings audio, AudioFarEnd farEnd, params IReadOnlyList<PayloadMapping> payloads)
    {
        (FarEnd, Payloads) = (farEnd, payloads.Count > 0 ? payloads : [new(audio.PayloadType, audio.Format)]);
        Plane = new(options, new Random(1));
        Plane.HandleCommand(Now, new MediaCommand.Open(Id, Local, 1));
        while (Plane.TryTakePortRequest(out _))
        {
        }

        _flows = new(new(1), Local.WithPort(10_000), new(2), Local.WithPort(10_001));
        Plane.HandlePortBound(Now, _flows);
        Configure(audio);
    }

    public MediaPlane Plane { get; }

    public AudioFarEnd FarEnd { get; }

    public Instant Now { get; private set; } = new(TimeSpan.TicksPerHour);

    public IReadOnlyList<PayloadMapping> Payloads { get; set; }

    /// <summary>What protects the stream from the next description on.</summary>
    public StreamKeys? Keys { get; set; }

    /// <summary>What is done to a datagram of the far end, and to one for it: null drops it.</summary>
    public Func<byte[], byte[]> Seal { get; set; } = bytes => bytes;

    public Func<byte[], byte[]?> Open { get; set; } = bytes => bytes;

    public List<MediaEvent> Events { get; } = [];

    /// <summary>What was captured, ours and theirs, and at which block.</summary>
    public List<(long Number, short[] Ours, short[] Theirs)> Captured { get; } = [];

    /// <summary>Who takes captures: false lets them pile up.</summary>
    public bool TakesCaptures { get; set; } = true;

    /// <summary>What becomes of a packet to the far end: null is lost, else when it arrives.</summary>
    public Func<int, TimeSpan?> Outbound { get; set; } = _ => TimeSpan.Zero;

    /// <summary>Called before each millisecond.</summary>
    public Action? BeforeStep { get; set; }

    public MediaStreamReport Report => Events.OfType<MediaEvent.Reported>().Last().Streams[0];

    public CallAudioReport Audio => Report.Audio!;

    /// <summary>The streams whose files were ended, in order.</summary>
    public List<int> FilesEnded { get; } = [];

    public void Configure(CallAudioSettings audio, bool shouldSend = true, bool paused = false)
    {
        var stream = new MediaStreamSettings(0, 0, Payloads, Peer, Peer.WithPort(Peer.Port + 1), RtcpMux: false, shouldSend) { Audio = audio, Keys = Keys };
        Plane.HandleCommand(Now, new MediaCommand.Configure(Id, new(Peer.WithPort(5060), Acknowledged: true, paused, [stream])));
    }

    /// <summary>What the first file of a stream holds.</summary>
    public byte[] Kept(int stream) => _kept.GetValueOrDefault(stream, []);

    public void Do(MediaCommand command)
    {
        Plane.HandleCommand(Now, command);
        Drain();
    }

    /// <summary>A packet of the far end on its way.</summary>
    public void Send(byte[] packet, TimeSpan delay = default, bool isControl = false) =>
        _inbound.Enqueue((isControl ? _flows.Rtcp : _flows.Rtp, Seal(packet)), ((Now + delay).Ticks, _order++));

    public void Run(TimeSpan span)
    {
        for (var end = Now + span; Now < end;)
        {
            BeforeStep?.Invoke();
            Deliver();
            if (Plane.Deadline <= Now) Plane.HandleTimeout(Now);
            Drain();
            Now += Step;
        }
    }

    /// <summary>The machine sleeps.</summary>
    public void Sleep(TimeSpan span) => Now += span;

    /// <summary>The far end sends what <paramref name="payload"/> gives for each packet, so many of them, and waits for none.</summary>
    public void Exchange(int packets, TimeSpan packetTime, Func<int, byte[]?> payload, Func<int, TimeSpan?>? path = null)
    {
        for (var i = 0; i < packets; i++)
        {
            if (payload(i) is { } bytes)
            {
                var packet = FarEnd.Next(bytes);
                if ((path is null ? TimeSpan.Zero : path(i)) is { } delay) Send(packet, delay);
            }

            Run(packetTime);
        }
    }

    private void Deliver()
    {
        while (_inbound.TryPeek(out var next, out var due) && due.Item1 <= Now.Ticks)
        {
            _inbound.Dequeue();
            var remote = next.Flow == _flows.Rtp ? Peer : Peer.WithPort(Peer.Port + 1);
            Plane.HandleDatagram(Now, Now, next.Flow, remote, next.Bytes);
            Drain();
        }
    }

    private void Drain()
    {
        while (Plane.Outbox.TryTake(out var transmit))
        {
            if (Outbound(_outbound++) is not null && Open(transmit.Payload.ToArray()) is { } heard) FarEnd.Hear(heard);
            Plane.Outbox.Release(transmit);
        }

        while (Plane.TryTakeEvent(out var happened)) Events.Add(happened);
        while (TakesCaptures && Plane.TryTakeCapture(out var block))
        {
            Captured.Add((block.Number, block.Ours.ToArray(), block.Theirs.ToArray()));
            block.Release();
        }

        while (Plane.TryTakeWrite(out var write)) Keep(write);
    }

    private void Keep(RecordingWrite write)
    {
        if (write.Buffer is not { } buffer)
        {
            FilesEnded.Add(write.Stream);
            return;
        }

        var file = Kept(write.Stream);
        if (file.Length < buffer.Offset + buffer.Length) Array.Resize(ref file, (int)buffer.Offset + buffer.Length);
        buffer.Written.Span.CopyTo(file.AsSpan((int)buffer.Offset));
        _kept[write.Stream] = file;
        buffer.Dispose();
    }
}
