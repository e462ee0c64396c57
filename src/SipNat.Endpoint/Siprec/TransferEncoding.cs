using System.Buffers;
using System.Buffers.Text;

namespace SipNat.Endpoint.Siprec;

/// <summary>Content-Transfer-Encoding (RFC 2045 §6).</summary>
internal static class TransferEncoding
{
    /// <summary>False where the encoding is unknown or the content does not keep to it; the content then stays as it is.</summary>
    public static bool TryDecode(string encoding, ReadOnlyMemory<byte> content, out ReadOnlyMemory<byte> decoded)
    {
        decoded = content;
        return encoding.ToLowerInvariant() switch
        {
            "" or "7bit" or "8bit" or "binary" => true,
            "base64" => TryDecodeBase64(content, ref decoded),
            "quoted-printable" => TryDecodeQuotedPrintable(content, ref decoded),
            _ => false,
        };
    }

    private static bool TryDecodeBase64(ReadOnlyMemory<byte> content, ref ReadOnlyMemory<byte> decoded)
    {
        var output = new byte[Base64.GetMaxDecodedFromUtf8Length(content.Length)];
        if (Base64.DecodeFromUtf8(content.Span, output, out _, out var written) is not OperationStatus.Done) return false;

        decoded = output.AsMemory(0, written);
        return true;
    }

    private static bool TryDecodeQuotedPrintable(ReadOnlyMemory<byte> content, ref ReadOnlyMemory<byte> decoded)
    {
        var output = new byte[content.Length];
        var written = 0;
        for (var rest = content.Span; !rest.IsEmpty;)
        {
            if (rest[0] != '=')
            {
                output[written++] = rest[0];
                rest = rest[1..];
            }
            else if (rest is [_, (byte)'\r', (byte)'\n', ..])
            {
                rest = rest[3..];
            }
            else if (rest is [_, (byte)'\n', ..])
            {
                rest = rest[2..];
            }
            else if (rest.Length >= 3 && Utf8Parser.TryParse(rest[1..3], out byte octet, out var read, 'X') && read == 2)
            {
                output[written++] = octet;
                rest = rest[3..];
            }
            else
            {
                return false;
            }
        }

        decoded = output.AsMemory(0, written);
        return true;
    }
}
