using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Bench.Audio;

namespace SipNat.Bench.Siprec;

/// <summary>The client's SDP: one labelled audio line per stream (RFC 7866 §7.1.1, RFC 4574).</summary>
public static class OfferText
{
    /// <param name="sessionId">The id of <c>o=</c>, the same for the whole dialog.</param>
    /// <param name="version">Grows by one with each change (RFC 3264 §8).</param>
    /// <param name="rtcpMux">Whether RTCP may share the port of RTP (RFC 5761 §5.1.1).</param>
    /// <param name="attributes">Lines that each medium has beside these.</param>
    public static string Build(
        ulong sessionId, int version, IPAddress address, IReadOnlyList<IOfferedStream> streams, string direction, bool rtcpMux = false, IReadOnlyList<string>? attributes = null)
    {
        var family = address.AddressFamily is AddressFamily.InterNetworkV6 ? "IP6" : "IP4";
        var text = new StringBuilder();
        text.Append($"v=0\r\no=sipnat-bench {sessionId} {version} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n");
        foreach (var stream in streams)
        {
            var payloadType = stream.Codec.PayloadType;
            text.Append($"m=audio {stream.Port} RTP/AVP {payloadType}\r\n");
            text.Append($"a=rtpmap:{payloadType} {stream.Codec.EncodingName}/8000\r\na=ptime:20\r\n");
            if (rtcpMux) text.Append("a=rtcp-mux\r\n");
            foreach (var attribute in attributes ?? []) text.Append($"a={attribute}\r\n");
            text.Append($"a=label:{stream.Label}\r\na={direction}\r\n");
        }

        return text.ToString();
    }
}
