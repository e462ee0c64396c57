using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// A request for the whole metadata (RFC 7866 §8.2). It goes out by UPDATE alone; a re-INVITE without a description would
/// ask for an offer (RFC 3261 §13.2.1), so that one carries our last description beside it.
/// </summary>
internal static class SnapshotRequest
{
    public const string MediaType = "application/rs-metadata-request";

    private const string Disposition = "recording-session";

    // Chosen so that no line of an SDP or of the request can be one.
    private const string Boundary = "sipnat-snapshot-request";

    /// <summary>Whether a client's Accept says that it answers such requests.</summary>
    public static bool IsTakenBy(StoredSipMessage message) => message.Headers(SipHeader.Accept)
        .Any(type => type.Split(';')[0].Trim().Equals(MediaType, StringComparison.OrdinalIgnoreCase));

    /// <summary>Fills a request of the dialog.</summary>
    /// <param name="sdp">The description that a re-INVITE must carry; null for an UPDATE.</param>
    /// <param name="reason">Why the snapshot is wanted, for people; one line.</param>
    public static SipRequest Fill(SipRequest request, byte[]? sdp, string reason)
    {
        var content = $"SRS-Reason: {SipText.OneLine(reason)}\r\n";
        return sdp is null
            ? request with
            {
                Headers = [.. request.Headers, new(SipHeader.ContentDisposition, Disposition)],
                ContentType = MediaType,
                Body = Encoding.UTF8.GetBytes(content),
            }
            : request with
            {
                ContentType = $"multipart/mixed;boundary={Boundary}",
                Body = Multipart(sdp, content),
            };
    }

    private static byte[] Multipart(byte[] sdp, string content) =>
    [
        .. Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Type: application/sdp\r\n\r\n"),
        .. sdp,
        .. Encoding.UTF8.GetBytes($"\r\n--{Boundary}\r\nContent-Type: {MediaType}\r\nContent-Disposition: {Disposition}\r\n\r\n{content}\r\n--{Boundary}--\r\n"),
    ];
}
