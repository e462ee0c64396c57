using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace SipNat.Sip.Sdp;

/// <summary>
/// Reads session descriptions as they come: any line ends, lines missing or unknown, white space around, a multipart
/// boundary left inside. What has a meaning is read strictly, what has none is passed over.
/// </summary>
public static class SdpReader
{
    /// <summary>Bytes of a whole description.</summary>
    public const int MaxLength = 65_536;

    public const int MaxLines = 2048;

    /// <summary>Bytes of one line, without its end.</summary>
    public const int MaxLineLength = 4096;

    /// <summary>m-lines of a description.</summary>
    public const int MaxMedia = 64;

    /// <summary>a-lines, and apart from them b-lines, of the session or of one m-line.</summary>
    public const int MaxAttributes = 256;

    /// <summary>Formats of one m-line.</summary>
    public const int MaxFormats = 128;

    public static bool TryRead(ReadOnlySpan<byte> body, [NotNullWhen(true)] out SdpSession? session, out SdpDefect defect)
    {
        session = null;
        defect = Inspect(body);
        if (defect is not SdpDefect.None) return false;

        var draft = new Draft();
        foreach (var range in body.SplitAny((byte)'\r', (byte)'\n'))
        {
            var line = body[range].Trim(" \t\u000B\f"u8);
            if (line.Length < 2 || line[1] != '=') continue;

            defect = draft.Add((char)line[0], Encoding.UTF8.GetString(line[2..]).Trim());
            if (defect is not SdpDefect.None) return false;
        }

        defect = draft.IsDescription ? SdpDefect.None : SdpDefect.NotSdp;
        if (defect is not SdpDefect.None) return false;

        session = draft.ToSession();
        return true;
    }

    private static SdpDefect Inspect(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return SdpDefect.Empty;
        if (body.Length > MaxLength) return SdpDefect.TooLong;
        if (body.Contains((byte)0)) return SdpDefect.NulCharacter;

        var lines = 0;
        foreach (var range in body.SplitAny((byte)'\r', (byte)'\n'))
        {
            var length = body[range].Length;
            if (length > MaxLineLength) return SdpDefect.LineTooLong;
            if (length > 0 && ++lines > MaxLines) return SdpDefect.TooManyLines;
        }

        return SdpDefect.None;
    }

    /// <summary>The description while it is read: the session, its finished m-lines, and the section that lines go to.</summary>
    private sealed class Draft
    {
        private readonly List<SdpMedia> _media = [];
        private SdpSession _session = new();
        private SdpMedia? _current;
        private SdpConnection? _connection;
        private List<SdpAttribute> _attributes = [];
        private List<SdpBandwidth> _bandwidths = [];

        public bool IsDescription { get; private set; }

        public SdpDefect Add(char type, string value)
        {
            switch (type)
            {
                case 'v':
                    IsDescription = true;
                    return SdpDefect.None;
                case 'o':
                    _session = _session with { Origin = _session.Origin ?? ReadOrigin(value) };
                    return SdpDefect.None;
                case 's':
                    _session = _session with { Name = value.Length == 0 ? "-" : value };
                    return SdpDefect.None;
                case 't':
                    _session = _session with { Timing = value.Length == 0 ? "0 0" : value };
                    return SdpDefect.None;
                case 'c':
                    _connection ??= ReadConnection(Fields(value));
                    return SdpDefect.None;
                case 'b':
                    return AddBandwidth(value);
                case 'a':
                    return AddAttribute(value);
                case 'm':
                    return BeginMedia(value);
                default:
                    return SdpDefect.None;
            }
        }

        public SdpSession ToSession()
        {
            EndSection();
            return _session with { Media = _media };
        }

        private SdpDefect AddBandwidth(string value)
        {
            if (_bandwidths.Count == MaxAttributes) return SdpDefect.TooManyAttributes;

            var colon = value.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0) _bandwidths.Add(new(value[..colon].TrimEnd(), value[(colon + 1)..].TrimStart()));
            return SdpDefect.None;
        }

        private SdpDefect AddAttribute(string value)
        {
            if (_attributes.Count == MaxAttributes) return SdpDefect.TooManyAttributes;

            var colon = value.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 && value.Length > 0) _attributes.Add(new(value));
            if (colon > 0) _attributes.Add(new(value[..colon].TrimEnd(), value[(colon + 1)..].TrimStart()));
            return SdpDefect.None;
        }

        private SdpDefect BeginMedia(string value)
        {
            EndSection();
            if (_media.Count == MaxMedia) return SdpDefect.TooManyMedia;

            // An m-line that cannot be read cannot be passed over either: every later one would be answered in its place.
            if (Fields(value) is not [var kind, var ports, var protocol, .. var formats]) return SdpDefect.MalformedMedia;
            if (formats.Length > MaxFormats) return SdpDefect.TooManyFormats;
            if (!TryReadPorts(ports, out var port, out var count)) return SdpDefect.MalformedMedia;

            IsDescription = true;
            _current = new() { Kind = kind, Port = port, PortCount = count, Protocol = protocol, Formats = formats };
            return SdpDefect.None;
        }

        private void EndSection()
        {
            if (_current is null)
            {
                _session = _session with { Connection = _connection, Attributes = _attributes, Bandwidths = _bandwidths };
            }
            else
            {
                _media.Add(_current with { Connection = _connection, Attributes = _attributes, Bandwidths = _bandwidths });
            }

            (_current, _connection, _attributes, _bandwidths) = (null, null, [], []);
        }
    }

    private static bool TryReadPorts(string text, out int port, out int count)
    {
        (port, count) = (0, 1);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? text : text[..slash];
        if (!ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out count) || count == 0)) return false;

        port = number;
        return true;
    }

    // A user name with spaces is wrong but seen: the five fields after it are counted from the end.
    private static SdpOrigin? ReadOrigin(string value) =>
        Fields(value) is [.. var user, var id, var version, var network, var family, var address] && user.Length > 0
            ? new(string.Join(' ', user), id, version, new(network, family, address))
            : null;

    private static SdpConnection? ReadConnection(string[] fields)
    {
        if (fields is not [var network, var family, var address, ..]) return null;

        var slash = address.IndexOf('/', StringComparison.Ordinal);
        var bare = slash < 0 ? address : address[..slash].Trim();
        return bare.Length == 0 ? null : new(network, family, bare);
    }

    private static string[] Fields(string value) =>
        value.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Why a body is not a readable session description. A metric tag, hence no text.</summary>
public enum SdpDefect
{
    None,
    Empty,
    TooLong,
    NulCharacter,
    TooManyLines,
    LineTooLong,
    TooManyMedia,
    TooManyAttributes,
    TooManyFormats,

    /// <summary>An m-line without medium, port or protocol.</summary>
    MalformedMedia,

    /// <summary>Neither v= nor m= anywhere.</summary>
    NotSdp,
}
