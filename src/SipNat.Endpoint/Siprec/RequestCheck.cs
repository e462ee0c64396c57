using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>What every request is held against before its body is looked at (RFC 3261 §8.2).</summary>
internal static class RequestCheck
{
    /// <summary>The error response that a request wants; null where it can be served.</summary>
    public static SipResponse? Refuse(StoredSipMessage request)
    {
        var unsupported = request.Headers(SipHeader.Require)
            .Where(tag => !RecorderHeaders.SupportedOptions.Contains(tag, StringComparer.OrdinalIgnoreCase))
            .ToList();
        if (unsupported.Count > 0)
        {
            return new(420) { Headers = [SipHeaderField.FromWire(SipHeader.Unsupported, string.Join(", ", unsupported)), RecorderHeaders.Supported] };
        }

        if (request.Header(SipHeader.ContentEncoding) is { } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return new(415) { Headers = [new(SipHeader.AcceptEncoding, "identity"), RecorderHeaders.Accept] };
        }

        return null;
    }
}
