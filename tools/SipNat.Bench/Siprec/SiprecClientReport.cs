using System.Text.Json;
using System.Text.Json.Serialization;

namespace SipNat.Bench.Siprec;

/// <summary>Everything the client saw and did; the JSON document of <c>siprec-client --json</c>. Times are seconds from the INVITE.</summary>
public sealed record SiprecClientReport
{
    public int Schema { get; init; } = 1;

    public required SiprecOutcome Result { get; init; }

    /// <summary>Status of the first INVITE's final response; 0 when none came.</summary>
    public int Status { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>The Warning header of the final response (RFC 3261 §20.43), where there was one.</summary>
    public string? Warning { get; init; }

    public required string CallId { get; init; }

    public required string Local { get; init; }

    public required string Server { get; init; }

    /// <summary>From the first INVITE to its final response.</summary>
    public double? AnswerMilliseconds { get; init; }

    /// <summary>The Contact of the 200.</summary>
    public string? Contact { get; init; }

    /// <summary>The SDP answers in the order they came: the first INVITE's, then those of each re-INVITE.</summary>
    public IReadOnlyList<string> Answers { get; init; } = [];

    /// <summary>What is wrong with the recorder's answers, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Defects { get; init; } = [];

    public IReadOnlyList<ResponseSeen> Responses { get; init; } = [];

    public IReadOnlyList<RequestSeen> Requests { get; init; } = [];

    public IReadOnlyList<StreamSent> Streams { get; init; } = [];

    public SessionEnd EndedBy { get; init; }

    /// <summary>From the INVITE to the end of the session.</summary>
    public double Seconds { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.SiprecClientReport);

    /// <exception cref="JsonException">The text is not a report.</exception>
    public static SiprecClientReport FromJson(string json) =>
        JsonSerializer.Deserialize(json, ReportJson.Default.SiprecClientReport)
        ?? throw new JsonException("The document is null.");
}

/// <summary>How the session came out.</summary>
public enum SiprecOutcome
{
    [JsonStringEnumMemberName("recorded")] Recorded,
    [JsonStringEnumMemberName("rejected")] Rejected,
    [JsonStringEnumMemberName("no-answer")] NoAnswer,
    [JsonStringEnumMemberName("failed")] Failed,
    [JsonStringEnumMemberName("cancelled")] Cancelled,
}

/// <summary>Who ended the session.</summary>
public enum SessionEnd
{
    [JsonStringEnumMemberName("none")] None,
    [JsonStringEnumMemberName("client")] Client,
    [JsonStringEnumMemberName("recorder")] Recorder,
}

public sealed record ResponseSeen(string Method, int Status, string Reason, string From, double At);

public sealed record RequestSeen(string Method, string From, int Answered, double At);

/// <summary>One stream as it was sent, and what came back to its sockets.</summary>
public sealed record StreamSent
{
    public required string Label { get; init; }

    public required string Codec { get; init; }

    public uint Ssrc { get; init; }

    public required string Local { get; init; }

    /// <summary>Where the answer asked RTP to be sent; null when the stream was refused.</summary>
    public string? Destination { get; init; }

    public uint FirstTimestamp { get; init; }

    public int Packets { get; init; }

    /// <summary>Unbroken runs of frames; a hold makes a gap between two.</summary>
    public IReadOnlyList<SentSegment> Segments { get; init; } = [];

    /// <summary>The file of bare samples in the sent folder: all segments one after the other, without the gaps.</summary>
    public string? File { get; init; }

    public IReadOnlyList<PacketsFrom> RtpReceived { get; init; } = [];

    public IReadOnlyList<PacketsFrom> RtcpReceived { get; init; } = [];
}

/// <summary>A run of frames of 20 ms; the start is in RTP time from the stream's first frame.</summary>
public sealed record SentSegment(double StartSeconds, int Frames);

/// <summary>Datagrams of one source. Times are seconds from the start of the audio.</summary>
public sealed record PacketsFrom(string From, int Packets, long Bytes, double First, double Last);

/// <summary>What <c>sent.json</c> holds beside the payload files.</summary>
public sealed record SentDocument(int Schema, string CallId, IReadOnlyList<StreamSent> Streams)
{
    public const string FileName = "sent.json";

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.SentDocument);

    public static SentDocument FromJson(string json) =>
        JsonSerializer.Deserialize(json, ReportJson.Default.SentDocument)
        ?? throw new JsonException("The document is null.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(SiprecClientReport))]
[JsonSerializable(typeof(SentDocument))]
internal sealed partial class ReportJson : JsonSerializerContext;
