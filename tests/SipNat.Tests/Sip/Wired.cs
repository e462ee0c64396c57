using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip;

/// <summary>Messages as a test writes them, and as the wire has them.</summary>
internal static class Wired
{
    /// <summary>UTF-8 with CRLF line ends; a text without an empty line gets one.</summary>
    public static byte[] Bytes(string text)
    {
        var lines = text.ReplaceLineEndings("\r\n");
        return Encoding.UTF8.GetBytes(lines.Contains("\r\n\r\n", StringComparison.Ordinal) ? lines : lines.TrimEnd() + "\r\n\r\n");
    }

    public static StoredSipMessage Store(string text)
    {
        Assert.True(StoredSipMessage.TryRead(Bytes(text), out var message));
        return message!;
    }

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>Name and bytes of each file in tests/corpora/sip, by name.</summary>
    public static IReadOnlyList<(string Name, byte[] Bytes)> Corpus { get; } =
    [
        .. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "corpora", "sip"), "*.dat")
            .Order(StringComparer.Ordinal)
            .Select(file => (Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file))),
    ];
}
