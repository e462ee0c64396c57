using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SipNat.Archive.Documents;

/// <summary>Recordings as JSON (camelCase, UTC times with Z), and back.</summary>
public static class RecordingJson
{
    /// <summary>Serializer metadata for whoever writes these documents into a larger answer.</summary>
    public static RecordingJsonContext Context => RecordingJsonContext.Default;

    public static byte[] Write(RecordingDocument document) =>
        JsonSerializer.SerializeToUtf8Bytes(document, Context.RecordingDocument);

    /// <summary>The array that <c>recordings list --json</c> prints.</summary>
    public static byte[] WriteList(IReadOnlyList<RecordingDocument> documents) =>
        JsonSerializer.SerializeToUtf8Bytes(documents, Context.IReadOnlyListRecordingDocument);

    /// <param name="defect">Why the bytes are not a document; one sentence without a full stop.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out RecordingDocument? document, [NotNullWhen(false)] out string? defect)
    {
        (document, defect) = (null, null);
        try
        {
            document = JsonSerializer.Deserialize(utf8, Context.RecordingDocument);
        }
        catch (JsonException exception)
        {
            defect = $"not a recording's JSON: {exception.Message.TrimEnd('.')}";
            return false;
        }

        defect = Inspect(document);
        if (defect is null && document is not null) return true;

        (document, defect) = (null, defect ?? "an empty document");
        return false;
    }

    private static string? Inspect(RecordingDocument? document) => document switch
    {
        null => "an empty document",
        { Schema: < 1 } => "it states no schema",
        { Schema: > RecordingDocument.CurrentSchema } =>
            $"schema {document.Schema} is of a later version of this program, which reads up to {RecordingDocument.CurrentSchema}",
        _ when HasNullElement(document) => "a list contains null",
        _ => null,
    };

    // The serializer holds properties against their nullability, but not the elements of lists.
    private static bool HasNullElement(RecordingDocument document) =>
        AnyNull(document.CommunicationSessions) || AnyNull(document.Participants) || AnyNull(document.Links) || AnyNull(document.RelatedSessions) || AnyNull(document.Streams) ||
        AnyNull(document.Findings) || AnyNull(document.Metadata) || AnyNull(document.Timeline) ||
        AnyNull(document.Assurance?.Reasons) ||
        document.CommunicationSessions.Any(session => AnyNull(session.Groups)) ||
        document.Streams.Any(stream => AnyNull(stream.Files) || AnyNull(stream.Participants));

    private static bool AnyNull(IEnumerable<object?>? list) => list?.Any(element => element is null) is true;
}

/// <summary>Source-generated metadata of the archive's documents.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(RecordingDocument))]
[JsonSerializable(typeof(IReadOnlyList<RecordingDocument>))]
public sealed partial class RecordingJsonContext : JsonSerializerContext;

/// <summary>Writes a time as UTC with a Z; reads any ISO 8601 time, one without a zone as UTC.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var time = reader.GetDateTime();
        return new DateTimeOffset(time.Kind is DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time.ToUniversalTime());
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}

/// <summary>Writes a state as its name in lower case, and refuses numbers.</summary>
public sealed class RecordingStateConverter() : JsonStringEnumConverter<RecordingState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
