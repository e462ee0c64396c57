using System.Text;

namespace SipNat.Traversal.PortMapping;

/// <summary>An answer to an M-SEARCH viewed in place (UPnP Device Architecture 1.1 §1.3.3).</summary>
public readonly ref struct SsdpResponse
{
    /// <summary>Answers are a dozen short lines.</summary>
    public const int MaxLength = 4096;

    private const int MaxLines = 64;

    private SsdpResponse(ReadOnlySpan<byte> searchTarget, ReadOnlySpan<byte> location)
    {
        SearchTarget = searchTarget;
        Location = location;
    }

    /// <summary>ST: what answers, such as <c>urn:schemas-upnp-org:device:InternetGatewayDevice:1</c>.</summary>
    public ReadOnlySpan<byte> SearchTarget { get; }

    /// <summary>LOCATION: where the description is; not yet judged.</summary>
    public ReadOnlySpan<byte> Location { get; }

    /// <summary>Whether it is an Internet Gateway Device of any version that answers.</summary>
    public bool IsGateway => SearchTarget.StartsWith("urn:schemas-upnp-org:device:InternetGatewayDevice:"u8);

    public static bool TryRead(ReadOnlySpan<byte> datagram, out SsdpResponse response, out SsdpDefect defect)
    {
        response = default;
        defect = datagram.Length > MaxLength ? SsdpDefect.TooLong : IsOk(datagram) ? SsdpDefect.None : SsdpDefect.NotAResponse;
        if (defect is not SsdpDefect.None) return false;

        ReadOnlySpan<byte> target = default, location = default;
        var rest = AfterLine(datagram);
        for (var line = 0; line < MaxLines && !rest.IsEmpty; line++)
        {
            var end = rest.IndexOf((byte)'\n');
            var text = (end < 0 ? rest : rest[..end]).TrimEnd((byte)'\r');
            if (text.IsEmpty) break;

            if (target.IsEmpty && TryGet(text, "ST"u8, out var st)) target = st;
            else if (location.IsEmpty && TryGet(text, "LOCATION"u8, out var place)) location = place;
            rest = AfterLine(rest);
        }

        defect = location.IsEmpty || target.IsEmpty ? SsdpDefect.Incomplete : Ascii.IsValid(location) ? SsdpDefect.None : SsdpDefect.NotAscii;
        if (defect is SsdpDefect.None) response = new(target, location);
        return defect is SsdpDefect.None;
    }

    private static bool IsOk(ReadOnlySpan<byte> datagram) =>
        datagram.StartsWith("HTTP/1."u8) && datagram.Length > 12 && datagram[8..].StartsWith(" 200"u8);

    private static ReadOnlySpan<byte> AfterLine(ReadOnlySpan<byte> text) =>
        text.IndexOf((byte)'\n') is >= 0 and var end ? text[(end + 1)..] : default;

    private static bool TryGet(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var colon = line.IndexOf((byte)':');
        if (colon < 0 || !Ascii.EqualsIgnoreCase(line[..colon].Trim((byte)' '), name)) return false;

        value = line[(colon + 1)..].Trim(" \t"u8);
        return !value.IsEmpty;
    }
}

/// <summary>Why a datagram is not a usable answer to an M-SEARCH.</summary>
public enum SsdpDefect
{
    None,
    TooLong,
    NotAResponse,
    Incomplete,
    NotAscii,
}
