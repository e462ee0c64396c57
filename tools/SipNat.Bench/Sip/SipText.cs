using System.Globalization;
using System.Text;

namespace SipNat.Bench.Sip;

/// <summary>A received SIP message as text: start line, headers in order, body bytes (RFC 3261 §7).</summary>
public sealed class SipText
{
    private const int MaxHeaders = 200;
    private const string CompactForms = "v=Via f=From t=To i=Call-ID m=Contact l=Content-Length c=Content-Type s=Subject k=Supported x=Session-Expires";

    private static readonly Dictionary<string, string> LongNames =
        CompactForms.Split(' ').ToDictionary(pair => pair[..1], pair => pair[2..], StringComparer.OrdinalIgnoreCase);

    private readonly List<(string Name, string Value)> _headers;

    private SipText(string startLine, List<(string, string)> headers, byte[] body) =>
        (StartLine, _headers, Body) = (startLine, headers, body);

    public string StartLine { get; }

    public byte[] Body { get; }

    public bool IsResponse => StartLine.StartsWith("SIP/2.0 ", StringComparison.Ordinal);

    /// <summary>The method of a request, or of the request that a response answers (from CSeq).</summary>
    public string Method => IsResponse ? CSeqMethod : StartLine.Split(' ')[0];

    public int Status => IsResponse && int.TryParse(StartLine.Split(' ', 3)[1], NumberStyles.None, null, out var status) ? status : 0;

    public string Reason => StartLine.Split(' ', 3) is [_, _, var reason] ? reason : "";

    public int CSeq => int.TryParse(First("CSeq").Split(' ')[0], NumberStyles.None, null, out var number) ? number : -1;

    public string CallId => First("Call-ID");

    public string Branch => Parameter(First("Via"), "branch") ?? "";

    private string CSeqMethod => First("CSeq").Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var method, ..] ? method : "";

    /// <summary>The first value of a header, or an empty string.</summary>
    public string First(string name) => All(name).FirstOrDefault() ?? "";

    /// <summary>Every line of a header, unsplit, in order.</summary>
    public IEnumerable<string> All(string name) =>
        _headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value);

    /// <summary>A parameter of a header value outside its angle brackets; empty for a flag, null when absent.</summary>
    public static string? Parameter(string value, string name)
    {
        var outside = value[(value.LastIndexOf('>') + 1)..];
        foreach (var part in outside.Split(';', StringSplitOptions.TrimEntries).Skip(1))
        {
            var pair = part.Split('=', 2);
            if (pair[0].Equals(name, StringComparison.OrdinalIgnoreCase)) return pair.Length == 2 ? pair[1] : "";
        }

        return null;
    }

    /// <summary>The URI of a name-addr or addr-spec.</summary>
    public static string Uri(string value)
    {
        var open = value.IndexOf('<', StringComparison.Ordinal);
        var close = value.IndexOf('>', StringComparison.Ordinal);
        return open >= 0 && close > open ? value[(open + 1)..close] : value.Split(';')[0].Trim();
    }

    /// <summary>Reads one whole message; the body is what follows the blank line, cut to Content-Length.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SipText? message)
    {
        message = null;
        var blank = bytes.IndexOf("\r\n\r\n"u8);
        if (blank <= 0) return false;

        var lines = Unfold(Encoding.UTF8.GetString(bytes[..blank])).Split("\r\n");
        if (lines.Length > MaxHeaders || lines[0].Split(' ').Length < 3) return false;

        var headers = new List<(string, string)>(lines.Length);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) return false;

            var name = line[..colon].Trim();
            headers.Add((LongNames.GetValueOrDefault(name, name), line[(colon + 1)..].Trim()));
        }

        var body = bytes[(blank + 4)..];
        if (!TryCutBody(headers, ref body)) return false;

        message = new SipText(lines[0], headers, body.ToArray());
        return true;
    }

    // Without a length the rest of the datagram is the body (RFC 3261 §18.3); one that is not there is a broken message.
    private static bool TryCutBody(List<(string Name, string Value)> headers, ref ReadOnlySpan<byte> body)
    {
        var value = headers.Find(header => header.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)).Value;
        if (!int.TryParse(value, NumberStyles.None, null, out var length)) return true;
        if (length > body.Length) return false;

        body = body[..length];
        return true;
    }

    // RFC 3261 §7.3.1: a line that begins with white space continues the one before.
    private static string Unfold(string head) =>
        head.Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
}
