using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Media.Wav;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;

namespace SipNat.Server.Tests.Durability;

/// <summary>Streams of 20 ms frames on their way to a disk, in virtual time: timeline, queue, writer and medium as they are.</summary>
internal sealed class WriterScene
{
    public const int FrameMilliseconds = 20;
    private const int FrameLength = 160;

    private readonly WriteQueue _queue;
    private readonly List<SceneStream> _streams = [];
    private readonly WriteJob[] _taken = new WriteJob[WriteRun.MaxJobs];
    private double _busyUntil;

    public WriterScene(AudioFileWriterOptions? options = null, TestDisk? disk = null)
    {
        options ??= new();
        Disk = disk ?? new TestDisk();
        Disk.OnWrite = length => _busyUntil = Math.Max(_busyUntil, Clock.Milliseconds) + Cost(length);
        _queue = new WriteQueue(options.QueueCapacity, options.Linger);
        Forced = new ForceSchedule(options, Clock, Disk, Faults.Add);
        Core = new WriterCore(options, Clock, Disk, Forced, Faults.Add);
    }

    public VirtualTime Clock { get; } = new();

    public TestDisk Disk { get; }

    public WriterCore Core { get; }

    public ForceSchedule Forced { get; }

    public List<AudioFault> Faults { get; } = [];

    /// <summary>Milliseconds that the disk takes for a write of so many bytes; nothing else is written meanwhile.</summary>
    public Func<int, double> Cost { get; set; } = _ => 0;

    /// <summary>Runs each millisecond, after all that is due has been done.</summary>
    public Action<long>? EachMillisecond { get; set; }

    /// <summary>A stream of G.711, or one whose packets are kept.</summary>
    public SceneStream Begin(string path, AudioFileFormat? format = null)
    {
        var stream = new SceneStream(new AudioFile(path, format ?? new AudioFileFormat.Wave(AudioCodec.Pcmu), null, Clock), Clock.Milliseconds);
        _queue.TryAddAlways(new WriteJob(WriteJobKind.Open, stream.File));
        Work();
        _streams.Add(stream);
        return stream;
    }

    public void RunUntil(long milliseconds)
    {
        for (; Clock.Milliseconds < milliseconds; Clock.Milliseconds++)
        {
            foreach (var stream in _streams) Feed(stream);
            Work();
            Forced.RunDue(Clock.Milliseconds);
            EachMillisecond?.Invoke(Clock.Milliseconds);
        }
    }

    public void End(SceneStream stream)
    {
        _streams.Remove(stream);
        stream.Timeline.Finish(Now, Now);
        TakeWrites(stream);
        stream.File.IsClosing = true;
        var length = 0L;
        while (stream.Timeline.TryTakeEvent(out var happened)) length = happened is TimelineEvent.FileEnded ended ? ended.Length : length;
        _queue.TryAddAlways(new WriteJob(WriteJobKind.Close, stream.File, Length: length));
        Work();
        Forced.RunDue(Clock.Milliseconds);
    }

    /// <summary>The audio of a file on the disk, which must be whole.</summary>
    public byte[] AudioOf(SceneStream stream)
    {
        var bytes = Disk[stream.File.Path];
        Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out _));
        return bytes.AsSpan(header.DataOffset, (int)header.DataLength).ToArray();
    }

    private Instant Now => new(Clock.Milliseconds * TimeSpan.TicksPerMillisecond);

    private void Feed(SceneStream stream)
    {
        if ((Clock.Milliseconds - stream.BeganAt) % FrameMilliseconds == 0) stream.Timeline.Place(stream.Next(Now));
        stream.Timeline.Flush(Now);
        TakeWrites(stream);
    }

    private void TakeWrites(SceneStream stream)
    {
        while (stream.Timeline.TryTake(out var write))
        {
            if (_queue.TryAdd(new WriteJob(WriteJobKind.Write, stream.File, write.Buffer))) continue;

            if (stream.File.Overflow(write.Buffer) is { } fault) Faults.Add(fault);
            write.Buffer.Dispose();
        }
    }

    // What the thread of the writer does, as far as the disk has come.
    private void Work()
    {
        while (_busyUntil <= Clock.Milliseconds)
        {
            var count = _queue.Take(0, _taken, out _);
            Core.DoAll(_taken.AsSpan(0, count));
            Core.RunDue(Clock.Milliseconds);
            _queue.Held = Core.Held;
            if (count == 0 && Core.NextDue > Clock.Milliseconds) return;
        }
    }
}

/// <summary>One stream: what was sent of it so far, and its file.</summary>
internal sealed class SceneStream(AudioFile file, long beganAt)
{
    private const int RecordHeader = 8;
    private const int RtpHeader = 12;

    private readonly byte[] _packet = new byte[RtpHeader + 160];
    private int _sent;

    public AudioFile File => file;

    public long BeganAt => beganAt;

    public StreamTimeline Timeline { get; } = new();

    /// <summary>The payload of every frame so far.</summary>
    public List<byte> Sent { get; } = [];

    private bool KeepsPackets => file.Format is AudioFileFormat.Packets;

    private int BytesPerFrame => KeepsPackets ? RecordHeader + _packet.Length : _packet.Length - RtpHeader;

    /// <summary>Bytes of the file that had arrived at a moment.</summary>
    public long ArrivedAt(long milliseconds) => milliseconds < beganAt ? 0 : (((milliseconds - beganAt) / WriterScene.FrameMilliseconds) + 1) * BytesPerFrame;

    // Never the codec's silence: what is silent in the file was not written.
    public ReceivedFrame Next(Instant now)
    {
        var payload = _packet.AsSpan(RtpHeader);
        for (var i = 0; i < payload.Length; i++) payload[i] = (byte)((Sent.Count + i) * 7 % 251);
        Sent.AddRange(payload);
        RtpWriter.Write(_packet, new(KeepsPackets ? 18 : 0, (ushort)(1000 + _sent), (uint)(_sent * payload.Length), 1), payload.ToArray());
        return new ReceivedFrame
        {
            Arrival = now,
            Ssrc = 1,
            Sequence = 1000 + _sent,
            Timestamp = (uint)(_sent++ * payload.Length),
            Format = KeepsPackets ? PayloadFormat.Packets("G729", 8000) : PayloadFormat.Audio(AudioCodec.Pcmu),
            Run = 0,
            Payload = payload,
            Packet = _packet,
        };
    }
}
