using System.Text.Json;
using System.Text.Json.Serialization;

namespace SipNat.Lab.Tests.Scene;

/// <summary>One element of <c>recordings list --json</c>, as far as the tests look at it.</summary>
internal sealed record RecordedSession(string Id, string State, string CallId, string? Remote)
{
    public IReadOnlyList<RecordedStream> Streams { get; init; } = [];

    public IReadOnlyList<RecordedFinding> Findings { get; init; } = [];

    public static IReadOnlyList<RecordedSession> ReadList(string json)
    {
        using var document = JsonDocument.Parse(json);
        var list = document.RootElement.ValueKind is JsonValueKind.Array ? document.RootElement : document.RootElement.GetProperty("recordings");
        return list.Deserialize(RecordedJson.Default.IReadOnlyListRecordedSession) ?? [];
    }
}

internal sealed record RecordedStream(string? Label, long Packets, long Lost, double RecordedSeconds, string? Remote, string? Local, string? Advertised, string? Why)
{
    public IReadOnlyList<RecordedFile> Files { get; init; } = [];

    public RecordedPath? Path { get; init; }

    public RecordedEncryption? Srtp { get; init; }
}

internal sealed record RecordedPath(string Local, string LocalKind, string Remote, string RemoteKind);

internal sealed record RecordedEncryption(string Suite, long Accepted, long AuthFailed, long Replayed, long Refused);

internal sealed record RecordedFile(string File, string Codec, double StartOffsetSeconds, double DurationSeconds);

internal sealed record RecordedFinding(string Code, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<RecordedSession>))]
internal sealed partial class RecordedJson : JsonSerializerContext;
