using System.Buffers;
using SipNat.Endpoint.Tracing;
using SipNat.Fuzz.Engine;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>Messages on their way into a trace.</summary>
internal sealed class TraceTarget : IFuzzTarget
{
    private const int Headers = 16 + 28;

    private static ReadOnlySpan<byte> Secret => "0a4f113b"u8;

    private static ReadOnlySpan<byte> Beginning => "INVITE sip:b:0a4f113b@c SIP/2.0\r\nAuthorization: Digest cnonce=\"0a4f113b\", response=0a4f113b\r\na=ice-pwd:0a4f113b\r\n"u8;

    public string Name => "trace";

    public string Promise => "a masked message has the lines and the length that it had; what is shown of a datagram is a part of it; what stands before it stays masked";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [.. new[] { "Authorization: Digest ", "response=", "\"", ",", "inline:", "a=ice-pwd:", "sip:a:b@c", "k=clear:", "Content-Encoding: gzip", "Content-Type: application/dtmf", "\r\n", "\r\n\r\n", "\n " }.Select(System.Text.Encoding.ASCII.GetBytes)];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => [.. SipSeeds.Messages(corpus), .. RtpSeeds.Packets()];

    public long AllowedBytes(int inputLength) => (16 * 1024) + (16L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        byte[] whole = [.. Beginning, .. input];
        byte[] message = [.. whole];
        SecretMask.Mask(message);
        Invariant.Holds(message.AsSpan(0, Beginning.Length).IndexOf(Secret) < 0, "Whatever follows it, a secret is masked.");
        for (var i = 0; i < message.Length; i++)
        {
            Invariant.Holds(message[i] == whole[i] || (message[i] == (byte)'*' && whole[i] is not ((byte)'\r' or (byte)'\n')), "What is not kept is an asterisk, and lines stay lines.");
        }

        var datagram = input.ToArray();
        var shown = MediaMask.Mask(datagram);
        Invariant.Holds(shown >= 0 && shown <= input.Length, "What is shown is a part.");
        return HashCode.Combine(shown, message.AsSpan().Count((byte)'*'), Write(datagram.AsSpan(0, shown), input.Length));
    }

    private static int Write(ReadOnlySpan<byte> shown, int length)
    {
        var output = new ArrayBufferWriter<byte>();
        new PcapWriter().Write(output, new(default, TransportProtocol.Udp, TransportAddress.Parse("192.0.2.1:1"), TransportAddress.Parse("192.0.2.2:2"), length), shown);
        Invariant.Holds(output.WrittenCount == Headers + shown.Length, "A packet is its headers and what is shown.");
        return output.WrittenCount;
    }
}
