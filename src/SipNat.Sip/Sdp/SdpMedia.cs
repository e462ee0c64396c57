using System.Globalization;
using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>One <c>m=</c> line and what belongs to it (RFC 8866 §5.14).</summary>
public sealed record SdpMedia
{
    /// <summary>Packets longer than this (ms) are not plausible; such a value is not read.</summary>
    private const int MaxPtime = 1000;

    /// <summary><c>audio</c>, <c>video</c>, <c>image</c>, as written.</summary>
    public required string Kind { get; init; }

    /// <summary>0–65535; 0 is a refused or removed stream (RFC 3264 §6).</summary>
    public required int Port { get; init; }

    /// <summary>The number after the port (<c>49170/2</c>), at least 1.</summary>
    public int PortCount { get; init; } = 1;

    /// <summary><c>RTP/AVP</c> and kin, as written.</summary>
    public required string Protocol { get; init; }

    /// <summary>Payload types as written, in order of preference.</summary>
    public IReadOnlyList<string> Formats { get; init; } = [];

    public SdpConnection? Connection { get; init; }

    public IReadOnlyList<SdpBandwidth> Bandwidths { get; init; } = [];

    public IReadOnlyList<SdpAttribute> Attributes { get; init; } = [];

    public bool IsAudio => string.Equals(Kind, "audio", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name under which metadata and applications know the stream (RFC 4574).</summary>
    public string? Label => Attributes.ValueOf("label");

    /// <summary>Milliseconds of audio in a packet (RFC 8866 §6.4); null where absent or implausible.</summary>
    public int? Ptime =>
        double.TryParse(Attributes.ValueOf("ptime"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ptime)
        && ptime is >= 1 and <= MaxPtime ? (int)ptime : null;

    /// <summary>RTP and RTCP on one port is offered or agreed (RFC 5761 §5.1.1).</summary>
    public bool RtcpMux => Attributes.Has("rtcp-mux");

    /// <summary>Keys are carried in the description (RFC 4568).</summary>
    public bool HasCrypto => Attributes.Has(SdpCrypto.AttributeName);

    /// <summary>The readable <c>a=rtpmap</c> lines.</summary>
    public IReadOnlyList<SdpRtpmap> Rtpmaps =>
        [.. Attributes
            .Where(a => string.Equals(a.Name, "rtpmap", StringComparison.OrdinalIgnoreCase))
            .Select(a => SdpRtpmap.Read(a.Value ?? string.Empty))
            .OfType<SdpRtpmap>()];

    /// <summary>What a payload type means here: its rtpmap, else its static assignment, else null.</summary>
    public SdpRtpmap? RtpmapOf(int payloadType)
    {
        foreach (var attribute in Attributes)
        {
            if (!string.Equals(attribute.Name, "rtpmap", StringComparison.OrdinalIgnoreCase)) continue;
            if (SdpRtpmap.Read(attribute.Value ?? string.Empty) is { } map && map.PayloadType == payloadType) return map;
        }

        return SdpRtpmap.OfStatic(payloadType);
    }

    /// <summary>The parameters of <c>a=fmtp</c> for a payload type; null where there is none.</summary>
    public string? FmtpOf(int payloadType)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{payloadType} ");
        foreach (var attribute in Attributes)
        {
            if (!string.Equals(attribute.Name, "fmtp", StringComparison.OrdinalIgnoreCase)) continue;
            if (attribute.Value?.StartsWith(prefix, StringComparison.Ordinal) is true) return attribute.Value[prefix.Length..].Trim();
        }

        return null;
    }

    /// <summary>Where RTP goes by this description; null for a host name, a missing c= or port 0.</summary>
    public TransportAddress? RtpAddress(SdpConnection? connection) => Port == 0 ? null : connection?.WithPort(Port);

    /// <summary>
    /// Where RTCP goes: <c>a=rtcp</c> with or without an address (RFC 3605 §2.1), else the RTP port + 1
    /// (RFC 3550 §11). Multiplexing is not considered.
    /// </summary>
    public TransportAddress? RtcpAddress(SdpConnection? connection)
    {
        if (Port == 0) return null;
        if (Attributes.ValueOf("rtcp") is not { } rtcp) return Port < ushort.MaxValue ? connection?.WithPort(Port + 1) : null;

        var fields = rtcp.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields is [] || !ushort.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return null;

        return fields is [_, var network, var family, var address] ? new SdpConnection(network, family, address).WithPort(port)
            : connection?.WithPort(port);
    }
}
