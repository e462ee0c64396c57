using System.Text;
using SipNat.Endpoint.Siprec;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>A message body: two lines with its Content-Type and Content-Disposition, then the body.</summary>
internal sealed class MultipartTarget : IFuzzTarget
{
    public string Name => "multipart";

    public string Promise => "parts come out of the body or are shorter than it, each defect is told once";

    public int MaxLength => 96 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "--b\r\n", "--b--\r\n", "--b", "--", "multipart/mixed;boundary=b", "multipart/mixed;boundary=\"b\"", "multipart/mixed", ";boundary=", ";boundary=\"", "application/sdp", "application/rs-metadata+xml",
        "application/rs-metadata-request", "application/xml", "text/xml", "recording-session", "Content-Type: application/sdp\r\n\r\n", "Content-Type: application/rs-metadata+xml\r\n", "Content-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\n",
        "Content-Disposition: recording-session\r\n", "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Transfer-Encoding: x\r\n", "=\r\n", "=3D", "=0", "dj0wDQo=", "v=0\r\n", "<recording/>", "\u00ef\u00bb\u00bf", " folded\r\n", "\r\n\r\n");

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var (type, disposition, body) in corpus.SiprecBodies()) yield return [.. Encoding.UTF8.GetBytes($"{type}\n{disposition}\n"), .. body];

        yield return Encoding.ASCII.GetBytes("application/sdp\n\nv=0\r\n");
        yield return Encoding.ASCII.GetBytes(
            "multipart/mixed;boundary=b\n\n--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0wDQo=\r\n--b\r\n"
            + "Content-Type: multipart/related;boundary=c\r\n\r\n--c\r\nContent-Type: application/rs-metadata+xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<recording xmlns=3D\"x\"/>=\r\n\r\n--c--\r\n--b--\r\n");
    }

    public long AllowedBytes(int inputLength) => (64 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var type = TakeLine(ref input);
        var disposition = TakeLine(ref input);
        var body = input.ToArray();
        var parts = MultipartReader.Read(type, disposition, body);
        foreach (var part in (ReadOnlyMemory<byte>?[])[parts.Sdp, parts.Metadata])
        {
            if (part is not { } content) continue;

            Invariant.Holds(content.Length <= body.Length && !content.IsEmpty, "A part is no longer than its body.");
        }

        Invariant.Holds(parts.Defects.Distinct().Count() == parts.Defects.Count, "Each defect is told once.");
        Invariant.Holds((parts.MetadataType is null) == (parts.Metadata is null), "Metadata has its type.");

        var outcome = new HashCode();
        outcome.Add(parts.Sdp is null);
        outcome.Add(parts.MetadataType);
        outcome.Add(parts.SnapshotRequested);
        foreach (var defect in parts.Defects) outcome.Add(defect);
        return outcome.ToHashCode();
    }

    private static ReadOnlySpan<byte> TakeLine(scoped ref ReadOnlySpan<byte> input)
    {
        var end = input.IndexOf((byte)'\n');
        var line = end < 0 ? input : input[..end];
        input = end < 0 ? default : input[(end + 1)..];
        return line;
    }
}
