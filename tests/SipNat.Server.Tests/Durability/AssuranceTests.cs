using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Codecs;
using SipNat.Media.RtpDump;
using SipNat.Media.Streams;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;
using EndpointState = SipNat.Endpoint.Siprec.RecordingState;

namespace SipNat.Server.Tests.Durability;

/// <summary>What was expected, what is there, and the reason for each difference; and the same computed from the files.</summary>
public sealed class AssuranceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly Catalogue _catalogue;

    public AssuranceTests() => (_store, _catalogue) = (new(_folder.Recordings), new(_folder.Database));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_second_of_difference_has_its_reason()
    {
        var report = new StreamReport
        {
            StartedAt = At(1.5),
            Expected = Seconds(60),
            Recorded = Seconds(57),
            Duration = Seconds(59.75),
            Files = [new StreamFile(0, AudioCodec.Pcmu, At(1.5), 478_000)],
            Gaps = [new StreamGap(0, 80_000, 8000)],
        };
        var faults = new AudioFault[]
        {
            new AudioFault.Refused("/r/stream-1.wav", TemporaryFolder.Start, "full"),

            // Half of its second would have been silence anyway.
            new AudioFault.Resumed("/r/stream-1.wav", TemporaryFolder.Start, "full", TemporaryFolder.Start, [new AudioSpan(84_000, 92_000)]),
            new AudioFault.Resumed("/r/stream-3.wav", TemporaryFolder.Start, "full", TemporaryFolder.Start, [new AudioSpan(0, 92_000)]),
        };

        var assurance = RecordingDocumentsAssurance.Of(
            Snapshot(At(63), Stream(0, report), Stream(1, null)), new Dictionary<int, TimeSpan> { [0] = Seconds(1.5), [1] = Seconds(20) }, faults);

        Assert.Equal((81.5, 56.5, 3.25), (assurance.ExpectedSeconds, assurance.RecordedSeconds, assurance.SilenceSeconds));
        Assert.Equal(
            [
                new(1, 1.5, "before-first-packet"),
                new(1, 2.75, "not-received"),
                new(1, 0.5, "not-written"),
                new(1, 0.25, "sender-clock"),
                new(2, 20, "before-first-packet"),
            ],
            assurance.Reasons);
        Assert.Equal(assurance.ExpectedSeconds - assurance.RecordedSeconds, assurance.Reasons.Sum(reason => reason.Seconds), 1e-9);
    }

    [Fact]
    public void The_silence_of_a_hold_lacks_nothing()
    {
        var report = new StreamReport { StartedAt = At(0), Expected = Seconds(4), Recorded = Seconds(3.9), Duration = Seconds(6) };

        var assurance = RecordingDocumentsAssurance.Of(Snapshot(At(6), Stream(0, report)), new Dictionary<int, TimeSpan>(), []);

        Assert.Equal((4, 3.9, 2.1), (assurance.ExpectedSeconds, assurance.RecordedSeconds, assurance.SilenceSeconds));
        Assert.Equal([new AssuranceReason(1, 0.1, "not-received")], assurance.Reasons);
    }

    [Fact]
    public void Of_packets_the_time_counts_that_they_cover()
    {
        var coverage = new PacketCoverage();
        for (var i = 0; i < 100; i++) coverage.Add((uint)i * 20, 7, (ushort)i);
        var report = new StreamReport
        {
            StartedAt = At(0),
            Expected = Seconds(3),
            Recorded = coverage.Covered,
            Duration = coverage.Duration,
            Files = [new StreamFile(0, FileCodec.Packets("G729"), At(0), 4000) { Packets = coverage }],
        };
        var fault = new AudioFault.Resumed("/r/stream-1.rtpdump", TemporaryFolder.Start, "full", TemporaryFolder.Start, [new AudioSpan(0, 1000)]);

        var whole = RecordingDocumentsAssurance.Of(Snapshot(At(3), Stream(0, report)), new Dictionary<int, TimeSpan>(), []);
        var lacking = RecordingDocumentsAssurance.Of(Snapshot(At(3), Stream(0, report)), new Dictionary<int, TimeSpan>(), [fault]);

        Assert.Equal((3, 1.98, 0), (whole.ExpectedSeconds, whole.RecordedSeconds, whole.SilenceSeconds));
        Assert.Equal([new AssuranceReason(1, 1.02, "not-received")], whole.Reasons);
        Assert.Equal((3, 1.485, 0), (lacking.ExpectedSeconds, lacking.RecordedSeconds, lacking.SilenceSeconds));
        Assert.Equal([new AssuranceReason(1, 1.02, "not-received"), new(1, 0.495, "not-written")], lacking.Reasons);
        Assert.EndsWith("1000 bytes of packets are missing in it.", AudioFilesFindings.Of(fault).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_counts_until_the_first_packet_and_not_while_a_stream_is_held_or_the_session_paused()
    {
        var leads = new RecordingJournalLeads();
        leads.Apply(Snapshot(null, Stream(0, null), Stream(1, null, "inactive")), Seconds(0.1));
        leads.Apply(Snapshot(null, Stream(0, null, "inactive"), Stream(1, null)), Seconds(3));
        leads.Apply(Snapshot(null, Stream(0, null), Stream(1, null)), Seconds(10));
        leads.Apply(Snapshot(null, Stream(0, new StreamReport { StartedAt = At(12) }), Stream(1, null)) with { State = EndpointState.Paused }, Seconds(14));
        leads.Apply(Snapshot(At(30), Stream(0, new StreamReport { StartedAt = At(12) }), Stream(1, null)), Seconds(30.5));

        Assert.Equal(new Dictionary<int, TimeSpan> { [0] = Seconds(3 + 2), [1] = Seconds(7 + 4) }, leads.ToDictionary());
    }

    [Fact]
    public void Verify_computes_the_assurance_from_the_files()
    {
        byte[] audio = [.. Enumerable.Repeat((byte)1, 12_000), .. Enumerable.Repeat((byte)0xFF, 4000)];
        Save(audio, new() { ExpectedSeconds = 2.25, RecordedSeconds = 1.5, SilenceSeconds = 0.5, Reasons = [new(1, 0.5, "not-received"), new(1, 0.25, "before-first-packet")] });

        Assert.Empty(Verify());
    }

    [Fact]
    public void An_assurance_that_the_files_do_not_bear_out_is_a_problem()
    {
        Save(new byte[16_000], new() { ExpectedSeconds = 3, RecordedSeconds = 1, SilenceSeconds = 1.5, Reasons = [new(1, 0.5, "not-received")] });

        Assert.Equal(
            [
                $"{TemporaryFolder.Id} assures 1.000 s of audio and 1.500 s of silence, and its files play 2.000 s.",
                $"{TemporaryFolder.Id} tells of 1.500 s of silence, and its files have 0.000 s.",
                $"{TemporaryFolder.Id} lacks 2.000 s of what was expected, and gives reasons for 0.500 s.",
            ],
            Verify());
    }

    [Fact]
    public void A_recording_that_was_interrupted_is_assured_as_far_as_it_came()
    {
        var assurance = new RecordingAssurance { ExpectedSeconds = 1.7, RecordedSeconds = 1, SilenceSeconds = 0.5, Reasons = [new(1, 0.5, "not-received"), new(1, 0.2, "before-first-packet")] };
        byte[] audio = [.. Enumerable.Repeat((byte)1, 12_000), .. Enumerable.Repeat((byte)0xFF, 4000)];
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(state: SipNat.Archive.Documents.RecordingState.Recording), (AudioCodec.Pcmu, 0, audio));
        _store.Write(document with { Assurance = assurance });

        new Reindexer(_store, _catalogue).RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        var recovered = _store.Enumerate().Single().Document!.Assurance!;
        Assert.Equal((2.2, 1.5, 0.5), (recovered.ExpectedSeconds, recovered.RecordedSeconds, recovered.SilenceSeconds));
        Assert.Empty(Verify());
    }

    [Fact]
    public void What_comes_to_light_after_the_end_is_added()
    {
        Save(new byte[16_000], new() { ExpectedSeconds = 2, RecordedSeconds = 2, SilenceSeconds = 0 });
        var document = _store.Enumerate().Single().Document!;

        var added = RecordingDocuments.Add(document, new AudioFault.Resumed("/x/stream-1.wav", TemporaryFolder.Start, "full", TemporaryFolder.Start, [new AudioSpan(0, 4000)]));

        Assert.Equal((2.0, 1.5, 0.5), (added.Assurance!.ExpectedSeconds, added.Assurance.RecordedSeconds, added.Assurance.SilenceSeconds));
        Assert.Equal([new AssuranceReason(1, 0.5, "not-written")], added.Assurance.Reasons);
        Assert.Equal("audio-written-again", Assert.Single(added.Findings).Code);
    }

    private void Save(byte[] audio, RecordingAssurance assurance)
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, audio));
        _catalogue.Upsert(_store.Write(document with { Assurance = assurance }));
    }

    private IEnumerable<string> Verify() => new RecordingVerifier(_store, _catalogue).Verify(static _ => false).Select(problem => problem.Text);

    private static StreamSnapshot Stream(int index, StreamReport? report, string direction = "recvonly") => new(
        index, $"{index + 1}", [], direction, At(0), default, default, "", report is null ? null : new MediaStreamReport(index, report, default, null));

    private static RecordingSnapshot Snapshot(Instant? endedAt, params StreamSnapshot[] streams) => new(
        new("20261120-a1b2c3"),
        endedAt is null ? EndpointState.Recording : EndpointState.Complete,
        At(0),
        endedAt,
        null,
        "call@example.com",
        TransportAddress.Parse("192.0.2.1:5060"),
        [],
        [],
        [],
        [],
        streams,
        [],
        [],
        []);

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
