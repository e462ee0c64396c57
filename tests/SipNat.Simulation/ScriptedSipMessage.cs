using System.Globalization;
using System.Text;

namespace SipNat.Simulation;

/// <summary>A SIP message as plain text, read the simplest way. It shares no code with the stack under test.</summary>
public sealed class ScriptedSipMessage
{
    private readonly List<(string Name, string Value)> _headers = [];

    private ScriptedSipMessage(string text, string startLine, string body) => (Text, StartLine, Body) = (text, startLine, body);

    public string Text { get; }

    public string StartLine { get; }

    public string Body { get; }

    public bool IsResponse => StartLine.StartsWith("SIP/2.0 ", StringComparison.Ordinal);

    /// <summary>The status code; 0 for a request.</summary>
    public int Status => IsResponse && int.TryParse(StartLine.AsSpan(8, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : 0;

    /// <summary>The method of a request, or that of the request that a response answers.</summary>
    public string Method => IsResponse ? CSeq.Split(' ')[^1] : StartLine.Split(' ')[0];

    public string CSeq => Header("CSeq") ?? "";

    /// <summary>The first header of a name, in its long form; null where there is none.</summary>
    public string? Header(string name) => Headers(name).FirstOrDefault();

    public IEnumerable<string> Headers(string name) =>
        _headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value);

    public static ScriptedSipMessage? Read(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return null;

        var lines = text[..end].Split("\r\n");
        if (!lines[0].Contains("SIP/2.0", StringComparison.Ordinal)) return null;

        var message = new ScriptedSipMessage(text, lines[0], text[(end + 4)..]);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':');
            if (colon > 0) message._headers.Add((LongName(line[..colon].Trim()), line[(colon + 1)..].Trim()));
        }

        return message;
    }

    /// <summary>A parameter such as <c>tag</c> or <c>received</c> of a header value; null where it has none.</summary>
    public static string? Parameter(string? value, string name)
    {
        foreach (var part in (value ?? "").Split('>')[^1].Split(';').Skip(1))
        {
            var pair = part.Split('=', 2);
            if (pair[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return pair.Length == 2 ? pair[1].Trim() : "";
        }

        return null;
    }

    private static string LongName(string name) => name.ToLowerInvariant() switch
    {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        "c" => "Content-Type",
        "l" => "Content-Length",
        "k" => "Supported",
        _ => name,
    };
}
