using System.Text;
using SipNat.Wire;

namespace SipNat.Sip.Messages;

/// <summary>What a server adds to the top Via of a request before it goes back (RFC 3261 §18.2.1, RFC 3581 §4).</summary>
/// <param name="Received">The address for <c>received</c>; none to add nothing.</param>
/// <param name="RPort">The port for an <c>rport</c> that the client sent; 0 to leave it alone.</param>
public readonly record struct ViaStamp(TransportAddress Received, int RPort)
{
    /// <summary>Writes a header line whose first value is the top Via. Nothing else in it changes.</summary>
    internal void Write(SipWriter writer, ReadOnlySpan<byte> line)
    {
        var comma = SipText.IndexOutside(line, (byte)',');
        var top = SipText.TrimEnd(comma < 0 ? line : line[..comma]);
        writer.Text(SipHeader.Via.Name).Raw(": "u8);
        WriteTop(writer, top);
        writer.Unfolded(line[top.Length..]).EndLine();
    }

    private void WriteTop(SipWriter writer, ReadOnlySpan<byte> top)
    {
        var parameters = SipParameters.After(top);
        var copied = top.Length - parameters.Text.Length;
        writer.Unfolded(top[..copied]);
        var position = 0;
        foreach (var parameter in parameters)
        {
            if (RPort != 0 && Ascii.EqualsIgnoreCase(parameter.Name, "rport"u8))
            {
                writer.Unfolded(parameters.Text[position..parameter.NameEnd]).Raw("="u8).Number(RPort);
                position = parameter.End;
            }
            else if (!Received.IsNone && Ascii.EqualsIgnoreCase(parameter.Name, "received"u8))
            {
                // A client that says where it was received from knows nothing: ours is the one that counts.
                writer.Unfolded(parameters.Text[position..parameter.Start]);
                position = parameter.End;
            }
        }

        writer.Unfolded(parameters.Text[position..]);
        if (!Received.IsNone) writer.Raw(";received="u8).Text(Received.AddressText);
    }
}
