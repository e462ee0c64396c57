using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Server.Commands;

/// <summary>What <c>call --json</c> and <c>answer --json</c> print.</summary>
internal static class CallJson
{
    public static void Print(TextWriter output, CallReport report) => output.WriteLine(JsonSerializer.Serialize(report, CallJsonContext.Default.CallReport));

    /// <param name="call">Null where there was none.</param>
    /// <param name="problem">Why there was none.</param>
    /// <param name="toWall">The time of day of a moment.</param>
    public static CallReport Report(CallSnapshot? call, string? problem, Func<Instant, DateTimeOffset> toWall)
    {
        if (call is null) return new("failed", 0, problem ?? "There was no call.", 0, null, null, null, null, null, []);

        var verdict = CallVerdict.Of(call);
        var duration = call.AnsweredAt is { } answered && call.EndedAt is { } ended ? (ended - answered).TotalSeconds : 0;
        return new(
            ResultOf(call),
            call.Status,
            call.Failure?.Explain() ?? (call.EndReason.Length > 0 ? call.EndReason : call.Reason),
            Math.Round(duration, 3),
            PathOf(call),
            SentOf(call),
            ReceivedOf(call),
            PeerReportsOf(call),
            call.AnsweredAt is null ? null : new(verdict.Inbound.Word(), verdict.Outbound.Word()),
            [.. call.Recovered.Select(r => new CallRecoveryReport(r.IsOutbound ? "outbound" : "inbound", toWall(r.At), r.From.ToString(), r.To.ToString(), Math.Round(r.After.TotalSeconds, 1)))])
        {
            Remote = call.Remote,
            CallId = call.CallId,
            Encrypted = call.IsEncrypted,
            Quality = QualityOf(call),
            Stages = call.Stream?.Audio?.Stages is { } stages ? new(stages.Sent, stages.ReceivedByPeer, stages.Arrived, stages.Authenticated, stages.Accepted, stages.Decoded, stages.Audible) : null,
            Findings = [.. call.Findings.Select(f => new CallFindingReport(f.Code.Text, f.Text, toWall(f.At)))],
        };
    }

    private static string ResultOf(CallSnapshot call) => call switch
    {
        { AnsweredAt: not null } => "answered",
        { Failure: CallFailure.NoAnswer } => "no-answer",
        { Failure: CallFailure.Rejected } => "rejected",
        { Failure: CallFailure.NotAuthorized { Status: > 0 } } => "rejected",
        _ => "failed",
    };

    private static CallPathReport? PathOf(CallSnapshot call)
    {
        if (call.Local.IsNone) return null;

        var path = call.Stream?.Path;
        var remote = path?.Remote ?? call.Stream?.Remote ?? default;
        return new(
            call.Local.ToString(),
            path is { } found ? KindOf(found.LocalKind) : KindOf(call.Advertised.Kind),
            remote.IsNone ? Text(call.Described) : remote.ToString(),
            path is { } known ? KindOf(known.RemoteKind) : "host",
            path is null && !remote.IsNone && remote != call.Described,
            path is not null,
            Text(call.Advertised.Address),
            call.Advertised.Explain());
    }

    private static string KindOf(AddressKind kind) => kind switch
    {
        AddressKind.Host => "host",
        AddressKind.Configured or AddressKind.Forwarded => "configured",
        AddressKind.Mapped => "mapped",
        AddressKind.Relayed => "relayed",
        _ => "server-reflexive",
    };

    private static string KindOf(CandidateType type) => type switch
    {
        CandidateType.Host => "host",
        CandidateType.ServerReflexive => "server-reflexive",
        CandidateType.PeerReflexive => "peer-reflexive",
        _ => "relayed",
    };

    private static CallSentReport? SentOf(CallSnapshot call) => call.Stream?.Audio is { } audio ? new(audio.PacketsSent, audio.CodecSent) : null;

    private static CallReceivedReport? ReceivedOf(CallSnapshot call) => call.Stream is not { } stream ? null
        : new(stream.Stream.Packets, stream.Stream.Lost, Math.Round(stream.Stream.Jitter.TotalMilliseconds, 2), stream.Audio?.CodecReceived);

    private static PeerReportsReport? PeerReportsOf(CallSnapshot call) => call.Stream?.Audio is not { } audio ? null
        : audio.Peer is not { } peer ? new(false, null, null, null, null)
        : new(true, peer.PacketsLost, Math.Round(peer.FractionLost, 4), Math.Round(peer.Jitter.TotalMilliseconds, 2), peer.RoundTrip is { } trip ? Math.Round(trip.TotalMilliseconds, 1) : null);

    private static CallQualityReport? QualityOf(CallSnapshot call) => call.Stream?.Audio is { Rating: { } rating, MeanOpinion: { } opinion }
        ? new(Math.Round(rating, 1), Math.Round(opinion, 2))
        : null;

    private static string? Text(TransportAddress address) => address.IsNone ? null : address.ToString();
}

internal sealed record CallReport(
    string Result,
    int Status,
    string Reason,
    double DurationSeconds,
    CallPathReport? Path,
    CallSentReport? Sent,
    CallReceivedReport? Received,
    PeerReportsReport? PeerReports,
    CallVerdictReport? Verdict,
    IReadOnlyList<CallRecoveryReport> Recovered)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;

    public string? Remote { get; init; }

    public string? CallId { get; init; }

    public bool Encrypted { get; init; }

    /// <summary>How what was heard is rated; null where nothing was.</summary>
    public CallQualityReport? Quality { get; init; }

    /// <summary>How far packets came; null without media.</summary>
    public CallStagesReport? Stages { get; init; }

    public IReadOnlyList<CallFindingReport> Findings { get; init; } = [];
}

internal sealed record CallPathReport(
    string Local, string LocalKind, string? Remote, string RemoteKind, bool Latched, bool Ice, string? Advertised, string Why);

internal sealed record CallSentReport(long Packets, string? Codec);

internal sealed record CallReceivedReport(long Packets, long Lost, double JitterMs, string? Codec);

internal sealed record PeerReportsReport(bool Received, long? PacketsLost, double? FractionLost, double? JitterMs, double? RoundTripMs);

internal sealed record CallQualityReport(double Rating, double Mos);

internal sealed record CallStagesReport(long Sent, long? ReceivedByPeer, long Arrived, long Authenticated, long Accepted, long Decoded, long Audible);

internal sealed record CallVerdictReport(string Inbound, string Outbound);

internal sealed record CallRecoveryReport(string Direction, DateTimeOffset At, string From, string To, double AfterSeconds);

internal sealed record CallFindingReport(string Code, string Text, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CallReport))]
internal sealed partial class CallJsonContext : JsonSerializerContext;
