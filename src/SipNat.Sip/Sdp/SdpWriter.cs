using System.Globalization;
using System.Text;

namespace SipNat.Sip.Sdp;

/// <summary>Writes a description in the order of RFC 8866 §5, each line ended by CRLF.</summary>
public static class SdpWriter
{
    /// <summary>UTF-8, ready to be a body. Throws where a value holds a line end: such a value is our own bug.</summary>
    public static byte[] Write(SdpSession session) => Encoding.UTF8.GetBytes(WriteText(session));

    public static string WriteText(SdpSession session)
    {
        var text = new StringBuilder(512);
        Line(text, 'v', "0");
        var origin = session.Origin ?? new SdpOrigin("-", "0", "0", SdpConnection.From(default));
        Line(text, 'o', $"{origin.Username} {origin.SessionId} {origin.SessionVersion} {Text(origin.Address)}");
        Line(text, 's', session.Name);
        Connection(text, session.Connection);
        Bandwidths(text, session.Bandwidths);
        Line(text, 't', session.Timing);
        Attributes(text, session.Attributes);
        foreach (var media in session.Media) Media(text, media);

        return text.ToString();
    }

    private static void Media(StringBuilder text, SdpMedia media)
    {
        var port = media.Port.ToString(CultureInfo.InvariantCulture);
        if (media.PortCount != 1) port = string.Create(CultureInfo.InvariantCulture, $"{port}/{media.PortCount}");
        Line(text, 'm', string.Join(' ', [media.Kind, port, media.Protocol, .. media.Formats]));
        Connection(text, media.Connection);
        Bandwidths(text, media.Bandwidths);
        Attributes(text, media.Attributes);
    }

    private static void Connection(StringBuilder text, SdpConnection? connection)
    {
        if (connection is not null) Line(text, 'c', Text(connection));
    }

    private static void Bandwidths(StringBuilder text, IReadOnlyList<SdpBandwidth> bandwidths)
    {
        foreach (var bandwidth in bandwidths) Line(text, 'b', $"{bandwidth.Type}:{bandwidth.Value}");
    }

    private static void Attributes(StringBuilder text, IReadOnlyList<SdpAttribute> attributes)
    {
        foreach (var attribute in attributes)
        {
            Line(text, 'a', attribute.Value is null ? attribute.Name : $"{attribute.Name}:{attribute.Value}");
        }
    }

    private static string Text(SdpConnection connection) => $"{connection.NetworkType} {connection.AddressType} {connection.Address}";

    private static void Line(StringBuilder text, char type, string value)
    {
        if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new ArgumentException($"The value of {type}= would break the line: it holds CR, LF or NUL.", nameof(value));
        }

        text.Append(type).Append('=').Append(value).Append("\r\n");
    }
}
