using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>What every request is held against before its body is looked at (RFC 3261 §8.2).</summary>
internal static class RequestCheck
{
    /// <summary>The error response that a request to the recorder wants; null where it can be served.</summary>
    public static SipResponse? Refuse(StoredSipMessage request) =>
        Refuse(request, RecorderHeaders.SupportedOptions, RecorderHeaders.Supported, RecorderHeaders.Accept);

    /// <summary>The same for whoever supports these.</summary>
    public static SipResponse? Refuse(StoredSipMessage request, IReadOnlyList<string> options, SipHeaderField supported, SipHeaderField accept)
    {
        var unsupported = request.Headers(SipHeader.Require)
            .Where(tag => !options.Contains(tag, StringComparer.OrdinalIgnoreCase))
            .ToList();
        if (unsupported.Count > 0)
        {
            return new(420) { Headers = [SipHeaderField.FromWire(SipHeader.Unsupported, string.Join(", ", unsupported)), supported] };
        }

        if (request.Header(SipHeader.ContentEncoding) is { } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return new(415) { Headers = [new(SipHeader.AcceptEncoding, "identity"), accept] };
        }

        return null;
    }
}
