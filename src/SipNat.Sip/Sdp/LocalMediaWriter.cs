using System.Globalization;

namespace SipNat.Sip.Sdp;

/// <summary>Builds our m-lines.</summary>
internal static class LocalMediaWriter
{
    /// <summary>A dynamic number (RFC 3551 §3); this one is customary for telephone events.</summary>
    private const int TelephoneEventPayloadType = 101;

    private const int MaxEventList = 64;

    // What is said of the sockets, and anew each time: RTCP's port, ICE (RFC 8839 §5), and what protects their packets.
    private static readonly HashSet<string> OfSockets =
    [
        "rtcp", "rtcp-mux", "candidate", "ice-ufrag", "ice-pwd", "ice-lite", "ice-options", "ice-mismatch", "end-of-candidates", "remote-candidates",
        SdpCrypto.AttributeName,
    ];

    /// <summary>The answer to an accepted m-line: its formats and packet time, its label, our sockets.</summary>
    public static SdpMedia Accept(SdpMedia offered, AcceptedMedia accepted, LocalMedia sockets)
    {
        var attributes = LabelOf(offered);
        AddFormats(attributes, accepted.PayloadMap, offered);
        if (accepted.Ptime is { } ptime) attributes.Add(new("ptime", Text(ptime)));
        AddRtcp(attributes, sockets, accepted.RtcpMux);
        attributes.Add(new(accepted.Direction.Text));
        attributes.AddRange(sockets.Attributes);

        return new()
        {
            Kind = offered.Kind,
            Port = sockets.Rtp.Port,
            Protocol = offered.Protocol,
            Formats = [.. accepted.PayloadMap.Select(m => Text(m.PayloadType))],
            Connection = SdpConnection.From(sockets.Rtp),
            Attributes = attributes,
        };
    }

    /// <summary>
    /// A refused stream keeps its place (RFC 3264 §6) and its label. An m-line must name a format: one is made up
    /// where the peer names none.
    /// </summary>
    public static SdpMedia Refuse(SdpMedia offered) => new()
    {
        Kind = offered.Kind,
        Port = 0,
        Protocol = offered.Protocol,
        Formats = offered.Formats is [] ? ["0"] : offered.Formats,
        Attributes = LabelOf(offered),
    };

    public static SdpMedia Offer(SdpCapabilities supported, LocalMedia sockets, SdpDirection direction)
    {
        var next = TelephoneEventPayloadType;
        var map = supported.Formats.Select(f => new PayloadMapping(f.StaticPayloadType ?? next++, f)).ToList();
        var attributes = new List<SdpAttribute>();
        AddFormats(attributes, map, null);
        AddRtcp(attributes, sockets, mux: false);
        attributes.Add(new(direction.Text));
        attributes.AddRange(sockets.Attributes);

        return new()
        {
            Kind = "audio",
            Port = sockets.Rtp.Port,
            Protocol = sockets.Attributes.Has(SdpCrypto.AttributeName) ? "RTP/SAVP" : "RTP/AVP",
            Formats = [.. map.Select(m => Text(m.PayloadType))],
            Connection = SdpConnection.From(sockets.Rtp),
            Attributes = attributes,
        };
    }

    /// <summary>A stream of the session offered once more: payload types keep their meaning (RFC 3264 §8.3.2).</summary>
    public static SdpMedia OfferAgain(SdpMedia last, LocalMedia sockets, SdpDirection direction)
    {
        List<SdpAttribute> attributes =
            [.. last.Attributes.Where(a => !OfSockets.Contains(a.Name) && !sockets.Attributes.Has(a.Name) && !SdpDirections.TryRead(a.Name, out _))];
        AddRtcp(attributes, sockets, last.RtcpMux);
        attributes.Add(new(direction.Text));
        attributes.AddRange(sockets.Attributes);

        return last with { Port = sockets.Rtp.Port, Connection = SdpConnection.From(sockets.Rtp), Attributes = attributes };
    }

    private static List<SdpAttribute> LabelOf(SdpMedia media) => media.Label is { } label ? [new("label", label)] : [];

    private static void AddFormats(List<SdpAttribute> attributes, IReadOnlyList<PayloadMapping> map, SdpMedia? offered)
    {
        foreach (var (payloadType, format) in map)
        {
            attributes.Add(new("rtpmap", new SdpRtpmap(payloadType, format.Name, format.ClockRate, format.Channels).ToString()));
        }

        foreach (var (payloadType, format) in map)
        {
            // A codec's parameters are those that its packets will have: they are taken as they are offered, as the codecs'
            // RFCs want it (RFC 4867 §8.3.1, RFC 7261).
            if (format.IsKept && offered?.FmtpOf(payloadType) is { } parameters) attributes.Add(new("fmtp", $"{Text(payloadType)} {parameters}"));
            if (format.Name != PayloadFormat.TelephoneEvent.Name) continue;

            // The sixteen DTMF events (RFC 4733 §3.2), or what the peer lists: an answer must not ask for more.
            var events = offered is null ? "0-15" : offered.FmtpOf(payloadType);
            if (IsEventList(events)) attributes.Add(new("fmtp", $"{Text(payloadType)} {events}"));
        }
    }

    // Always said where it is not RTP + 1, beside rtcp-mux too: a peer that passes over mux still finds it (RFC 3605 §2.1).
    private static void AddRtcp(List<SdpAttribute> attributes, LocalMedia sockets, bool mux)
    {
        var rtcp = mux ? sockets.Rtp : sockets.Rtcp;
        var isNext = !mux && rtcp.HasSameAddress(sockets.Rtp) && rtcp.Port == sockets.Rtp.Port + 1;
        if (!isNext && !rtcp.IsNone)
        {
            var text = Text(rtcp.Port);
            if (!rtcp.HasSameAddress(sockets.Rtp)) text += $" IN {(rtcp.IsIPv6 ? "IP6" : "IP4")} {rtcp.AddressText}";
            attributes.Add(new("rtcp", text));
        }

        if (mux) attributes.Add(new("rtcp-mux"));
    }

    private static bool IsEventList(string? events) =>
        events is { Length: > 0 and <= MaxEventList } && !events.AsSpan().ContainsAnyExcept("0123456789-,");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
