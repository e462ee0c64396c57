using System.Text.Json;
using System.Text.Json.Nodes;
using SipNat.Archive.Documents;

namespace SipNat.Server.Webhooks;

/// <summary>One thing to tell: the body of a POST, whole.</summary>
/// <param name="Kind">What happened, as the header and the body have it.</param>
/// <param name="Id">The delivery's id: the same for each attempt and for nothing else.</param>
/// <param name="Body">JSON as UTF-8.</param>
internal sealed record WebhookEvent(string Kind, string Id, byte[] Body)
{
    public const string SessionEnded = "session-ended";
    public const string Finding = "finding";

    private const int Schema = 1;

    /// <summary>A session is over: with the element that <c>recordings list</c> has for it.</summary>
    public static WebhookEvent Ended(RecordingDocument document, DateTimeOffset at) =>
        Create(SessionEnded, document, at, body => body["recording"] = JsonNode.Parse(RecordingJson.Write(document.ToSummary())));

    /// <summary>Something was found wrong with a session that runs, or with one that has ended.</summary>
    public static WebhookEvent Found(RecordingDocument document, RecordingFinding finding, DateTimeOffset at) =>
        Create(Finding, document, at, body => body["finding"] = new JsonObject
        {
            ["code"] = finding.Code,
            ["text"] = finding.Text,
            ["at"] = Time(finding.At),
        });

    private static WebhookEvent Create(string kind, RecordingDocument document, DateTimeOffset at, Action<JsonObject> complete)
    {
        var id = Guid.NewGuid().ToString("N");
        var body = new JsonObject
        {
            ["schema"] = Schema,
            ["event"] = kind,
            ["delivery"] = id,
            ["at"] = Time(at),
            ["recordingId"] = document.Id,
            ["callId"] = document.CallId,
        };
        complete(body);
        return new WebhookEvent(kind, id, JsonSerializer.SerializeToUtf8Bytes(body, JsonNodeContext.Default.JsonObject));
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class JsonNodeContext : System.Text.Json.Serialization.JsonSerializerContext;
