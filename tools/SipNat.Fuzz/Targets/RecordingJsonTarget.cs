using SipNat.Archive.Documents;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>The document beside a recording's audio, which a crash may have cut and a disk may have changed.</summary>
internal sealed class RecordingJsonTarget : IFuzzTarget
{
    public string Name => "recording-json";

    public string Promise => "what is read can be written, alone and in a list, and reads back equal";

    public int MaxLength => 128 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "null", "true", "{}", "[]", "\"\"", "1e999", "-1e999", "1e-999", "0", "-0", "\"schema\":1,", "\"id\":\"x\",", "\"state\":\"complete\"", "\"state\":\"RECORDING\"", "\"state\":1", "\"startedAt\":\"2024-03-01T10:18:30Z\"", "\"2024-03-01T10:18:30+14:00\"",
        "\"0001-01-01T00:00:00\"", "\"9999-12-31T23:59:59.9999999-14:00\"", "\"2024-03-01\"", "\"streams\":[{\"files\":[{\"file\":\"a\",\"codec\":\"PCMU\",\"startOffsetSeconds\":0}]}]", "\"ssrcs\":[4294967295]", "\"\\ud800\"", "\"\\u0000\"", ",", ":", "{", "}", "[", "]");

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        var time = new DateTimeOffset(2024, 3, 1, 10, 18, 30, TimeSpan.Zero);
        yield return RecordingJson.Write(new() { Id = "abcdefgh", State = RecordingState.Complete, StartedAt = time });
        yield return RecordingJson.Write(new()
        {
            Id = "0123456789abcdefghjk",
            State = RecordingState.Recording,
            StartedAt = time,
            EndedAt = time.AddMinutes(1),
            CallId = "seed@192.0.2.2",
            Remote = "192.0.2.2:5060",
            CommunicationSessions = [new() { Id = "s", SipSessionId = "x", Groups = ["g"] }],
            Participants = [new("sip:a@b", "A"), new(null, null)],
            Streams = [new() { Label = "1", Participants = [new("sip:a@b", null)], Files = [new() { File = "2024/a.wav", Codec = "PCMU", StartOffsetSeconds = 0.5, DurationSeconds = 59.5 }], Ssrcs = [1, uint.MaxValue], Packets = 3000, ExpectedSeconds = 60 }],
            Findings = [new("no-media", "No packet.", time)],
            Metadata = [new(time, "complete", "metadata-1.xml")],
            Timeline = [new(time, "answered", "text", 1)],
        });
    }

    public long AllowedBytes(int inputLength) => (64 * 1024) + (128L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!RecordingJson.TryRead(input, out var document, out var defect))
        {
            Invariant.Holds(defect.Length > 0, "What cannot be read has a reason.");
            return defect.Length > 32 ? defect[..32].GetHashCode(StringComparison.Ordinal) : defect.GetHashCode(StringComparison.Ordinal);
        }

        var written = RecordingJson.Write(document);
        Invariant.Holds(RecordingJson.TryRead(written, out var again, out var why), "What is written is read.", why ?? "");
        Invariant.Holds(RecordingJson.Write(again!).AsSpan().SequenceEqual(written), "A document is read as it is written.");
        _ = RecordingJson.WriteList([document.ToSummary(), document]);
        return HashCode.Combine(document.State, document.Streams.Count, document.Findings.Count, document.Metadata is null, document.EndedAt is null, document.Participants.Count);
    }
}
