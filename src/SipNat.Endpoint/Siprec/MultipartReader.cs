using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Finds session description and metadata in a message body (RFC 2046 §5.1, RFC 7866 §9): bare or in parts, whatever
/// the order, the line ends and the spelling of the part headers. Nothing makes it fail; what it passed over is listed.
/// </summary>
public static class MultipartReader
{
    /// <summary>Parts of a body, nested ones included.</summary>
    public const int MaxParts = 32;

    /// <summary>Multiparts within multiparts.</summary>
    public const int MaxNesting = 3;

    public static SiprecBody Read(StoredSipMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Read(
            message.View.TryGet(SipHeader.ContentType, out var type) ? type : default,
            message.View.TryGet(SipHeader.ContentDisposition, out var disposition) ? disposition : default,
            message.Body);
    }

    /// <param name="contentType">The value of the message's Content-Type; empty where it has none.</param>
    /// <param name="contentDisposition">The value of the message's Content-Disposition; empty where it has none.</param>
    /// <param name="body">The body, cut to Content-Length.</param>
    public static SiprecBody Read(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> contentDisposition, ReadOnlyMemory<byte> body)
    {
        var collector = new Collector();
        var headers = new PartHeaders
        {
            ContentType = Encoding.Latin1.GetString(contentType),
            ContentDisposition = Encoding.Latin1.GetString(contentDisposition),
        };
        collector.Add(headers, body, nesting: 0);
        return collector.ToBody();
    }

    private sealed class Collector
    {
        private readonly List<SiprecBodyDefect> _defects = [];
        private ReadOnlyMemory<byte>? _sdp;
        private ReadOnlyMemory<byte>? _metadata;
        private string? _metadataType;
        private bool _snapshotRequested;
        private int _parts;

        public SiprecBody ToBody() => new()
        {
            Sdp = _sdp,
            Metadata = _metadata,
            MetadataType = _metadataType,
            SnapshotRequested = _snapshotRequested,
            Defects = _defects,
        };

        public void Add(PartHeaders headers, ReadOnlyMemory<byte> content, int nesting)
        {
            var type = headers.MediaType;
            if (type.Length == 0)
            {
                type = TypeByFirstBytes(content.Span);
                if (type.Length > 0) Note(SiprecBodyDefect.MissingContentType);
            }

            if (type.StartsWith("multipart/", StringComparison.Ordinal)) AddMultipart(headers, content, nesting);
            else if (type is "application/rs-metadata-request") _snapshotRequested = true;
            else if (type is "application/sdp") Take(ref _sdp, Decode(headers, content));
            else if (IsMetadata(type, headers) && Take(ref _metadata, Decode(headers, content))) _metadataType = type;
        }

        // An empty part is no part: a boundary line that came too early leaves one behind.
        private bool Take(ref ReadOnlyMemory<byte>? place, ReadOnlyMemory<byte> content)
        {
            if (content.Span.Trim(" \t\r\n"u8).IsEmpty) return false;

            if (place is not null)
            {
                Note(SiprecBodyDefect.DuplicatePart);
                return false;
            }

            place = content;
            return true;
        }

        private ReadOnlyMemory<byte> Decode(PartHeaders headers, ReadOnlyMemory<byte> content)
        {
            if (TransferEncoding.TryDecode(headers.ContentTransferEncoding, content, out var decoded)) return decoded;

            Note(SiprecBodyDefect.BadTransferEncoding);
            return decoded;
        }

        private void AddMultipart(PartHeaders headers, ReadOnlyMemory<byte> content, int nesting)
        {
            if (nesting == MaxNesting)
            {
                Note(SiprecBodyDefect.NestedTooDeep);
                return;
            }

            var scanner = new BoundaryScanner(headers.Boundary, content.Span);
            if (scanner.HasWrongBoundary) Note(SiprecBodyDefect.WrongBoundary);

            while (scanner.TryTakePart(content.Span, out var range))
            {
                if (_parts++ == MaxParts)
                {
                    Note(SiprecBodyDefect.TooManyParts);
                    return;
                }

                var part = content[range];
                if (PartHeaders.TryRead(part.Span, out var partHeaders, out var length)) Add(Inherit(partHeaders, headers), part[length..], nesting + 1);
                else Note(SiprecBodyDefect.PartHeaderTooLong);
            }

            if (scanner.SawStrayBoundary) Note(SiprecBodyDefect.StrayBoundary);
            if (!scanner.SawLastBoundary) Note(SiprecBodyDefect.MissingLastBoundary);
        }

        // The disposition of the message holds for the parts that name none.
        private static PartHeaders Inherit(PartHeaders part, PartHeaders whole) =>
            part.ContentDisposition.Length > 0 ? part : part with { ContentDisposition = whole.ContentDisposition };

        private void Note(SiprecBodyDefect defect)
        {
            if (!_defects.Contains(defect)) _defects.Add(defect);
        }
    }

    private static bool IsMetadata(string type, PartHeaders headers) =>
        type is "application/rs-metadata+xml" or "application/rs-metadata"
        || (type is "application/xml" or "text/xml" && headers.IsRecordingSession);

    private static string TypeByFirstBytes(ReadOnlySpan<byte> content)
    {
        content = content.TrimStart(" \t\r\n"u8);
        return content switch
        {
            [(byte)'v', (byte)'=', ..] => "application/sdp",
            [(byte)'<', ..] or [0xEF, 0xBB, 0xBF, (byte)'<', ..] => "application/rs-metadata+xml",
            [(byte)'-', (byte)'-', ..] => "multipart/mixed",
            _ => string.Empty,
        };
    }
}
