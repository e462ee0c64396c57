using SipNat.Fuzz.Engine;
using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>One recorded stream from its datagrams to its files, with a disk that does what it is told.</summary>
internal sealed class RecordedStreamTarget : IFuzzTarget
{
    public string Name => "recorded-stream";

    public string Promise => "writes leave no hole and make files as long as they say; silence is no longer than time; nothing is due after a timeout";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(32, 1024);

    public long AllowedBytes(int inputLength) => (16L * 1024 * 1024) + (4096L * inputLength);

    public int Run(ReadOnlySpan<byte> input) => new Recording(new(input)).Play(new(input));

    private sealed class Recording
    {
        // Silence of all jumps together: more would show nothing else and only take time.
        private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(30);
        private static readonly Instant Start = new(TimeSpan.TicksPerHour);

        private static readonly TransportAddress[] Sources =
            Addresses.Of("198.51.100.7:40000", "198.51.100.7:40002", "198.51.100.8:40000", "203.0.113.9:1");

        private readonly RecordedStream _stream;
        private readonly byte[] _datagram = new byte[RtpPacket.HeaderLength + 1500];
        private readonly Dictionary<int, long> _written = [];
        private readonly Dictionary<int, long> _ended = [];
        private long _otherLength;
        private Instant _now = Start;
        private ushort _sequence;
        private uint _timestamp;
        private int _outcome;

        public Recording(Script script)
        {
            var payloads = new PayloadMap();
            payloads.Negotiate(0, PayloadFormat.Audio(AudioCodec.Pcmu));
            payloads.Negotiate(8, PayloadFormat.Audio(AudioCodec.Pcma));
            payloads.Negotiate(101, PayloadFormat.TelephoneEvent);
            payloads.Negotiate(18, PayloadFormat.Packets("G729", 8000));
            payloads.Negotiate(96, PayloadFormat.Packets("opus", 48000));
            var policy = (LatchPolicy)script.Next(4);
            _stream = new(payloads, new(new() { Policy = policy, AllowedNetworks = [new(Sources[2], 24)] }, Sources[0], Sources[0]));
        }

        public int Play(Script script)
        {
            script.NextByte();
            while (!script.IsOver) Step(ref script);

            _stream.Finish(_now, _now);
            Drain();
            var report = _stream.Report(_now);
            CheckEnd(report);
            return HashCode.Combine(_outcome, Few(report.Files.Count), Few(report.GapCount), Few(report.AnchorCount), Few(report.Late), Few(report.Unplaced), Few(report.Secondary), Few(report.Duplicates));
        }

        private void Step(ref Script script)
        {
            var operation = script.Next(16);
            if (operation < 9) Continue(ref script, operation);
            else if (operation == 9) Jump(ref script);
            else if (operation == 10) Receive(Sources[script.Next(Sources.Length)], script.NextBytes(script.NextByte()), 0);
            else if (operation == 11) Pass(TimeSpan.FromMilliseconds(script.NextUInt16() / 8));
            else if (operation == 12) Pass(TimeSpan.FromSeconds(script.NextByte()));
            else if (operation == 13) Hold(script.NextBool());
            else if (operation == 14) Control(ref script);
            else _stream.Latch.SignalledChanged(Sources[script.Next(2)], Sources[script.Next(Sources.Length)]);
            Drain();
        }

        // What a sender does mostly: the next frame, on time.
        private void Continue(ref Script script, int operation)
        {
            for (var frames = 1 + (operation / 2); frames > 0; frames--)
            {
                Pass(TimeSpan.FromMilliseconds(20));
                if (operation != 8 || frames % 2 == 0) SendFrame(0, 1, 0, 160, 0);
                Drain();
            }
        }

        private void Jump(ref Script script)
        {
            var kind = script.NextByte();
            if ((kind & 1) != 0) _sequence += script.NextUInt16();
            if ((kind & 2) != 0) _timestamp += script.NextUInt32();
            if ((kind & 4) != 0) _sequence -= script.NextByte();
            if ((kind & 8) != 0) _timestamp -= script.NextUInt16();
            ReadOnlySpan<int> types = [0, 0, 8, 101, 13, 18, 96, 77];
            SendFrame(script.Next(Sources.Length), (uint)script.Next(4), types[script.Next(types.Length)], (kind & 16) != 0 ? script.NextUInt16() % 1400 : 160, script.NextByte());
        }

        private void SendFrame(int source, uint ssrc, int payloadType, int length, int lateMilliseconds)
        {
            Span<byte> payload = stackalloc byte[length];
            payload.Fill(0x55);
            var size = RtpWriter.Write(_datagram, new(payloadType, _sequence, _timestamp, ssrc), payload);
            _sequence++;
            _timestamp += (uint)length;
            Receive(Sources[source], _datagram.AsSpan(0, size), lateMilliseconds);
        }

        private void Receive(TransportAddress from, ReadOnlySpan<byte> datagram, int lateMilliseconds)
        {
            var verdict = _stream.HandleRtp(_now, _now - TimeSpan.FromMilliseconds(lateMilliseconds / 16.0), from, datagram);
            _outcome |= 1 << (int)verdict;
        }

        private void Pass(TimeSpan time)
        {
            if (_now + time - Start > LongestRun) return;

            _now += time;
            _stream.HandleTimeout(_now);
            Invariant.Holds(_stream.Deadline is null || _stream.Deadline > _now, "Nothing is due after a timeout.");
        }

        private void Hold(bool held)
        {
            if (held) _stream.Hold(_now);
            else _stream.Resume(_now);
        }

        private void Control(ref Script script)
        {
            var compound = script.NextBool() ? RtpSeeds.SenderReport((uint)script.Next(4), script.NextUInt32(), _timestamp) : [0x81, 203, 0, 1, 0, 0, 0, (byte)script.Next(4)];
            if (RtcpCompound.TryRead(compound, out var read, out _)) _stream.HandleRtcp(_now, read);
        }

        private void Drain()
        {
            while (_stream.Timeline.TryTakeEvent(out var happened))
            {
                _outcome |= 16 << (happened.GetType().Name.Length % 8);
                if (happened is TimelineEvent.FileStarted started) _written.Add(started.FileIndex, 0);
                if (happened is TimelineEvent.FileEnded ended) _ended.Add(ended.FileIndex, ended.Length);
            }

            while (_stream.Timeline.TryTake(out var write)) Apply(write);
            while (_stream.Others.TryTake(out var other)) Set(other);
            while (_stream.TryTakeEvent(out var key)) Invariant.Holds(key.Duration >= TimeSpan.Zero && key.At <= _now, "A key was pressed for some time, before now.");
        }

        private void Apply(TimelineWrite write)
        {
            using var buffer = write.Buffer;
            Invariant.Holds(_written.TryGetValue(write.FileIndex, out var length), "A file begins before its writes.");
            Invariant.Holds(buffer.Offset >= 0 && buffer.Offset <= length, "A write leaves no hole.", $"{buffer.Offset} in {length}");
            Invariant.Holds(buffer.Length > 0 && buffer.Length <= buffer.Capacity, "A write has bytes.");
            _written[write.FileIndex] = Math.Max(length, buffer.Offset + buffer.Length);
        }

        // 0 to 4: how many tells little beyond that.
        private static int Few(long count) => (int)Math.Min(count, 4);

        private void Set(TimelineWrite write)
        {
            using var buffer = write.Buffer;
            Invariant.Holds(buffer.Offset == _otherLength, "What came beside is written one after the other.");
            _otherLength += buffer.Length;
        }

        private void CheckEnd(StreamReport report)
        {
            Invariant.Holds(_stream.Deadline is null, "Nothing is due after the end.");
            Invariant.Holds(report.WritesRefused == 0, "What is taken at once is not refused.");
            Invariant.Holds(report.Files.Count == _written.Count && _ended.Count == _written.Count, "Every file that began has ended.");
            foreach (var file in report.Files)
            {
                Invariant.Holds(_ended[file.Index] == file.Length && _written[file.Index] == file.Length, "A file is as long as it says.", $"{file}, {_written[file.Index]}");
            }

            Invariant.Holds((report.Others?.Length ?? 0) == _otherLength, "The file of what came beside is as long as it says.");
            Invariant.Holds(report.Gaps.Count <= StreamTimeline.MaxGapsListed && report.Anchors.Count <= StreamTimeline.MaxAnchorsListed, "Lists are capped.");
            Invariant.Holds(report.Sources.Count <= SourceLatch.MaxSources, "Sources are capped.");
            foreach (var gap in report.Gaps) Invariant.Holds(gap.Start >= 0 && gap.Length > 0 && gap.Start + gap.Length <= report.Files[gap.FileIndex].Length, "A gap lies in its file.", gap.ToString());
            CheckSilence(report);
        }

        // Each gap may exceed the time that passed by the allowance, and late arrivals make a frame early for the next.
        private void CheckSilence(StreamReport report)
        {
            if (report.StartedAt is not { } started) return;

            var allowance = (report.GapCount + report.AnchorCount + report.Files.Count + 1) * StreamTimeline.JitterAllowance;
            var late = TimeSpan.FromMilliseconds(2 * 16);
            var longest = ((_now - started) * 1.02) + allowance + late + StreamTimeline.Tolerance;
            Invariant.Holds(report.SilenceFilled <= longest, "Silence is no longer than time.", $"{report.SilenceFilled} in {_now - started} with {report.GapCount} gaps");
        }
    }
}
