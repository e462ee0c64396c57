using System.Text;

namespace SipNat.Endpoint.Siprec;

/// <summary>Cuts a multipart body at its boundary lines (RFC 2046 §5.1.1), whatever the line ends.</summary>
internal sealed class BoundaryScanner
{
    private readonly byte[] _delimiter;
    private int _position;
    private bool _isInPart;

    public BoundaryScanner(string boundary, ReadOnlySpan<byte> body)
    {
        _delimiter = Encoding.Latin1.GetBytes($"--{boundary}");
        if (boundary.Length > 0 && HasDelimiter(body)) return;

        // The first line that can be a boundary line is taken for one.
        HasWrongBoundary = true;
        _delimiter = FirstDashedLine(body);
    }

    public bool HasWrongBoundary { get; }

    public bool SawStrayBoundary { get; private set; }

    public bool SawLastBoundary { get; private set; }

    /// <summary>The place of the next part, headers included, without the line end that belongs to the boundary.</summary>
    public bool TryTakePart(ReadOnlySpan<byte> body, out Range part)
    {
        part = default;
        if (_delimiter.Length == 0) return false;

        var start = _position;
        while (_position < body.Length)
        {
            var line = TakeLine(body, out var lineStart);
            if (!IsBoundary(line, out var isLast)) continue;
            if (_isInPart && !isLast && IsStray(body)) continue;

            var wasInPart = _isInPart;
            _isInPart = !isLast;
            if (isLast)
            {
                SawLastBoundary = true;
                _position = body.Length;
            }

            if (wasInPart)
            {
                part = start..WithoutLineEnd(body, start, lineStart);
                return true;
            }

            start = _position;
        }

        if (!_isInPart) return false;

        // The last boundary is missing: the rest is the last part.
        _isInPart = false;
        part = start..body.Length;
        return start < body.Length;
    }

    private ReadOnlySpan<byte> TakeLine(ReadOnlySpan<byte> body, out int lineStart)
    {
        lineStart = _position;
        var end = body[_position..].IndexOf((byte)'\n');
        _position = end < 0 ? body.Length : _position + end + 1;
        return body[lineStart.._position].TrimEnd(" \t\r\n"u8);
    }

    private bool IsBoundary(ReadOnlySpan<byte> line, out bool isLast)
    {
        isLast = false;
        if (!line.StartsWith(_delimiter)) return false;

        var rest = line[_delimiter.Length..].TrimStart(" \t"u8);
        isLast = rest.SequenceEqual("--"u8);
        return isLast || rest.IsEmpty;
    }

    // Followed by a line of SDP that cannot begin a description: the part goes on, and its reader passes over the line.
    private bool IsStray(ReadOnlySpan<byte> body)
    {
        var isStray = body[_position..] is [>= (byte)'a' and <= (byte)'z' and not (byte)'v', (byte)'=', ..];
        SawStrayBoundary |= isStray;
        return isStray;
    }

    private bool HasDelimiter(ReadOnlySpan<byte> body)
    {
        var found = false;
        while (!found && _position < body.Length) found = IsBoundary(TakeLine(body, out _), out _);
        _position = 0;
        return found;
    }

    private byte[] FirstDashedLine(ReadOnlySpan<byte> body)
    {
        byte[] found = [];
        while (found.Length == 0 && _position < body.Length)
        {
            var line = TakeLine(body, out _);
            if (line.Length > 2 && line.StartsWith("--"u8)) found = line.ToArray();
        }

        _position = 0;
        return found;
    }

    private static int WithoutLineEnd(ReadOnlySpan<byte> body, int start, int end)
    {
        if (end > start && body[end - 1] == '\n') end--;
        if (end > start && body[end - 1] == '\r') end--;
        return end;
    }
}
