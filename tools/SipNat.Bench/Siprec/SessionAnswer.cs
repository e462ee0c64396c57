using System.Globalization;
using System.Net;
using SipNat.Bench.Audio;
using SipNat.Bench.Rtp;

namespace SipNat.Bench.Siprec;

/// <summary>The recorder's SDP answer: per media line where to send, and what is wrong with it.</summary>
public sealed record SessionAnswer(IReadOnlyList<AnsweredMedia> Media)
{
    public static SessionAnswer Read(string sdp)
    {
        IPAddress? sessionAddress = null;
        var media = new List<AnsweredMedia>();
        foreach (var line in sdp.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith("m=", StringComparison.Ordinal)) media.Add(AnsweredMedia.Read(line[2..]) with { Address = sessionAddress });
            else if (media.Count > 0) media[^1] = media[^1].With(line);
            else if (line.StartsWith("c=", StringComparison.Ordinal)) sessionAddress = AnsweredMedia.ReadAddress(line[2..]);
        }

        return new(media);
    }

    /// <summary>Holds the answer against the offer (RFC 3264 §6, RFC 7866 §7.1.2): one sentence per defect.</summary>
    public IEnumerable<string> Defects(IReadOnlyList<IOfferedStream> offered, bool held)
    {
        if (Media.Count != offered.Count) yield return $"The answer has {Media.Count} media lines, the offer {offered.Count}.";

        foreach (var (answer, stream) in Media.Zip(offered))
        {
            var name = $"stream {stream.Label}";
            if (answer.Kind != "audio" || answer.Protocol != "RTP/AVP") yield return $"{name}: answered as {answer.Kind} {answer.Protocol}.";
            if (answer.Label != stream.Label) yield return $"{name}: the answer's label is {answer.Label ?? "missing"}.";
            if (answer.Port == 0) continue;

            if (answer.Address is null) yield return $"{name}: no connection address.";
            if (!answer.Formats.Contains(stream.Codec.PayloadType)) yield return $"{name}: payload type {stream.Codec.PayloadType} is not accepted.";
            if (answer.Formats.Any(format => format != stream.Codec.PayloadType)) yield return $"{name}: a payload type that was not offered.";
            var wanted = held ? "inactive" : "recvonly";
            if (answer.Direction != wanted && answer.Direction != "inactive") yield return $"{name}: direction {answer.Direction}, wanted {wanted}.";
        }
    }
}

/// <summary>One media line of an answer.</summary>
public sealed record AnsweredMedia(string Kind, int Port, string Protocol, IReadOnlyList<int> Formats)
{
    public IPAddress? Address { get; init; }

    public string? Label { get; init; }

    /// <summary>Without an attribute a stream is sendrecv (RFC 3264 §6.1).</summary>
    public string Direction { get; init; } = "sendrecv";

    public (int Port, IPAddress? Address)? Rtcp { get; init; }

    /// <summary>RTCP shares the port of RTP (RFC 5761).</summary>
    public bool RtcpMux { get; init; }

    /// <summary>Null when the line was refused or names no address.</summary>
    public MediaTarget? Target
    {
        get
        {
            if (Port is <= 0 or >= 65_535 || Address is null) return null;

            var rtcp = RtcpMux ? (Port, null) : Rtcp ?? (Port + 1, null);
            return new(new(Address, Port), new(rtcp.Address ?? Address, rtcp.Port));
        }
    }

    /// <summary>Reads the value of an m= line; what is missing reads as refused.</summary>
    public static AnsweredMedia Read(string value)
    {
        var fields = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 4 || !int.TryParse(fields[1].Split('/')[0], NumberStyles.None, null, out var port)) return new("", 0, "", []);

        return new(fields[0], port, fields[2], [.. fields[3..].Select(format => int.TryParse(format, NumberStyles.None, null, out var number) ? number : -1)]);
    }

    public static IPAddress? ReadAddress(string value) =>
        value.Split(' ') is [_, _, var address, ..] && IPAddress.TryParse(address.Split('/')[0], out var read) ? read : null;

    public AnsweredMedia With(string line) => line.Split([':', '='], 3) switch
    {
        ["c", ..] => this with { Address = ReadAddress(line[2..]) },
        ["a", "label", var label] => this with { Label = label },
        ["a", "rtcp-mux"] => this with { RtcpMux = true },
        ["a", "rtcp", var rtcp] => this with { Rtcp = ReadRtcp(rtcp) },
        ["a", "sendrecv" or "sendonly" or "recvonly" or "inactive"] => this with { Direction = line[2..] },
        _ => this,
    };

    private static (int, IPAddress?)? ReadRtcp(string value)
    {
        var fields = value.Split(' ', 2);
        if (!int.TryParse(fields[0], NumberStyles.None, null, out var port) || port is 0 or > 65_535) return null;

        return (port, fields.Length == 2 ? ReadAddress(fields[1]) : null);
    }
}
