using System.Text;

namespace SipNat.Endpoint.Siprec;

/// <summary>The headers of a body part that matter here; empty where they are absent.</summary>
internal sealed record PartHeaders
{
    /// <summary>Bytes of one part's headers.</summary>
    public const int MaxLength = 8192;

    public string ContentType { get; init; } = string.Empty;

    public string ContentDisposition { get; init; } = string.Empty;

    public string ContentTransferEncoding { get; init; } = string.Empty;

    /// <summary>Type and subtype in lower case, without parameters.</summary>
    public string MediaType => BeforeParameters(ContentType);

    public bool IsRecordingSession => BeforeParameters(ContentDisposition) is "recording-session";

    /// <summary>The boundary parameter without quotes; empty where there is none.</summary>
    public string Boundary
    {
        get
        {
            var rest = ContentType.AsSpan();
            while (rest.IndexOf(';') is >= 0 and var semicolon)
            {
                rest = rest[(semicolon + 1)..].TrimStart();
                if (!rest.StartsWith("boundary", StringComparison.OrdinalIgnoreCase)) continue;

                var value = rest["boundary".Length..].TrimStart();
                if (value is not ['=', .. var text]) continue;

                text = text.TrimStart();
                if (text is ['"', .. var quoted] && quoted.IndexOf('"') is >= 0 and var closing) return quoted[..closing].ToString();

                var end = text.IndexOf(';');
                return (end < 0 ? text : text[..end]).Trim().Trim('"').ToString();
            }

            return string.Empty;
        }
    }

    /// <summary>
    /// Reads up to the blank line, or up to the first line that cannot be a header: that is where the content begins
    /// for a part whose blank line or whose headers were left out. False where the headers are too long.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> part, out PartHeaders headers, out int length)
    {
        headers = new();
        length = 0;
        var header = new StringBuilder();
        while (length < part.Length)
        {
            var end = part[length..].IndexOf((byte)'\n');
            var next = end < 0 ? part.Length : length + end + 1;
            var line = part[length..next].TrimEnd(" \t\r\n"u8);
            var isFolded = header.Length > 0 && part[length] is (byte)' ' or (byte)'\t';
            if (!line.IsEmpty && !isFolded && !IsHeader(line)) break;

            length = next;
            if (length > MaxLength) return false;
            if (line.IsEmpty) break;

            if (!isFolded)
            {
                headers = headers.With(header.ToString());
                header.Clear();
            }

            header.Append(' ').Append(Encoding.Latin1.GetString(line));
        }

        headers = headers.With(header.ToString());
        return true;
    }

    private PartHeaders With(string header)
    {
        var colon = header.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return this;

        var name = header.AsSpan(0, colon).Trim();
        var value = header[(colon + 1)..].Trim();
        if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)) return this with { ContentType = value };
        if (name.Equals("Content-Disposition", StringComparison.OrdinalIgnoreCase)) return this with { ContentDisposition = value };
        if (name.Equals("Content-Transfer-Encoding", StringComparison.OrdinalIgnoreCase)) return this with { ContentTransferEncoding = value };

        return this;
    }

    // A header's name is letters, digits and hyphens before the colon, which no line of SDP or XML begins with.
    private static bool IsHeader(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0) return false;

        foreach (var octet in line[..colon].TrimEnd((byte)' '))
        {
            if (!char.IsAsciiLetterOrDigit((char)octet) && octet is not ((byte)'-' or (byte)'_')) return false;
        }

        return true;
    }

    private static string BeforeParameters(string value)
    {
        var end = value.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? value : value[..end]).Trim().ToLowerInvariant();
    }
}
