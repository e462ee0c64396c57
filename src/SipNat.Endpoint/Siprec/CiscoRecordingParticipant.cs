using System.Buffers.Text;
using System.Text;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// One <c>X-Cisco-Recording-Participant</c> header: who speaks on which m-lines, where no metadata is sent.
/// <paramref name="MediaIndexes"/> are places of m-lines, from 0.
/// </summary>
public sealed record CiscoRecordingParticipant(string Uri, string? Name, IReadOnlyList<int> MediaIndexes)
{
    /// <summary>Indexes taken from one header.</summary>
    public const int MaxMediaIndexes = 64;

    /// <summary>Bytes of one header value.</summary>
    public const int MaxLength = 2048;

    private const int MaxMediaIndex = 1023;

    /// <summary>
    /// Reads <c>&lt;uri&gt;;media-index="0"</c>, with or without a display name, the brackets and the quotes. Several
    /// indexes are separated by spaces or commas.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out CiscoRecordingParticipant? participant)
    {
        participant = null;
        value = value.Trim(" \t"u8);
        if (value.Length is 0 or > MaxLength) return false;

        if (!TryReadAddress(value, out var name, out var uri, out var parameters)) return false;

        participant = new(Encoding.UTF8.GetString(uri), name, MediaIndexesOf(parameters));
        return true;
    }

    private static bool TryReadAddress(ReadOnlySpan<byte> value, out string? name, out ReadOnlySpan<byte> uri, out ReadOnlySpan<byte> parameters)
    {
        name = null;
        var open = value.IndexOf((byte)'<');
        if (open < 0)
        {
            var end = value.IndexOf((byte)';');
            uri = (end < 0 ? value : value[..end]).Trim((byte)' ');
            parameters = end < 0 ? default : value[end..];
            return !uri.IsEmpty;
        }

        var close = value[open..].IndexOf((byte)'>');
        uri = close < 0 ? default : value.Slice(open + 1, close - 1).Trim((byte)' ');
        parameters = close < 0 ? default : value[(open + close + 1)..];
        var display = Encoding.UTF8.GetString(value[..open]).Trim().Trim('"').Trim();
        if (display.Length > 0) name = display;
        return !uri.IsEmpty;
    }

    private static int[] MediaIndexesOf(ReadOnlySpan<byte> parameters)
    {
        foreach (var range in parameters.Split((byte)';'))
        {
            var parameter = parameters[range];
            var equals = parameter.IndexOf((byte)'=');
            if (equals < 0 || !Ascii.EqualsIgnoreCase(parameter[..equals].Trim((byte)' '), "media-index"u8)) continue;

            return ReadIndexes(parameter[(equals + 1)..].Trim(" \""u8));
        }

        return [];
    }

    private static int[] ReadIndexes(ReadOnlySpan<byte> list)
    {
        var indexes = new List<int>();
        foreach (var range in list.SplitAny((byte)' ', (byte)','))
        {
            var text = list[range];
            if (!Utf8Parser.TryParse(text, out int index, out var read) || read != text.Length) continue;
            if (index is < 0 or > MaxMediaIndex || indexes.Count == MaxMediaIndexes) continue;

            indexes.Add(index);
        }

        return [.. indexes];
    }
}
