using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Messages;

public class SipStreamFramerTests
{
    private const string Stream =
        "\r\n\r\n" +
        "MESSAGE sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 9\r\n\r\nab\r\n\r\ncd\n" +
        "SIP/2.0 200 OK\r\nl:\r\n 0\r\n\r\n" +
        "\r\n" +
        "BYE sip:a@example.com SIP/2.0\nsubject: lf only\nCONTENT-LENGTH : 2\n\nxy" +
        "\r\n\r\n\r\n" +
        "ACK sip:a@example.com SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    private static readonly string[] Frames =
    [
        "Ping",
        "MESSAGE sip:a@example.com SIP/2.0\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\nContent-Length: 9\n\nab\n\ncd\n",
        "SIP/2.0 200 OK\nl:\n 0\n\n",
        "BYE sip:a@example.com SIP/2.0\nsubject: lf only\nCONTENT-LENGTH : 2\n\nxy",
        "Ping",
        "ACK sip:a@example.com SIP/2.0\nContent-Length: 0\n\n",
    ];

    [Fact]
    public void Any_division_of_the_stream_gives_the_same_messages()
    {
        var bytes = Encoding.ASCII.GetBytes(Stream);
        for (var size = 1; size <= bytes.Length; size++) Assert.Equal(Frames, Feed(new(), bytes.Chunk(size)));

        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var chunks = new List<byte[]>();
            for (var at = 0; at < bytes.Length; at += chunks[^1].Length)
            {
                chunks.Add(bytes[at..Math.Min(bytes.Length, at + random.Next(1, 40))]);
            }

            Assert.Equal(Frames, Feed(new(), chunks));
        }
    }

    [Theory]
    [InlineData("BYE sip:a@example.com SIP/2.0\r\nTo: x\r\n\r\nrest", SipDefect.MissingContentLength)]
    [InlineData("BYE sip:a@example.com SIP/2.0\r\nContent-Length: 2x\r\n\r\nrest", SipDefect.BadContentLength)]
    [InlineData("BYE sip:a@example.com SIP/2.0\r\nContent-Length: 2\r\nl: 3\r\n\r\nrest", SipDefect.DuplicateHeader)]
    [InlineData("BYE sip:a@example.com SIP/2.0\r\nContent-Length: 65537\r\n\r\nrest", SipDefect.BodyTooLarge)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest", SipDefect.NotSip)]
    public void Header_block_without_a_usable_length_is_given_out_and_ends_the_stream(string text, SipDefect expected)
    {
        var framer = new SipStreamFramer();
        framer.Push(Encoding.ASCII.GetBytes(text));

        Assert.True(framer.TryTake(out var kind, out var message));
        Assert.Equal(SipFrameKind.Message, kind);
        Assert.EndsWith("\n\n", Wired.Text(message), StringComparison.Ordinal);
        Assert.Equal(expected, framer.Defect);
        framer.Push("BYE sip:a@example.com SIP/2.0\r\nContent-Length: 0\r\n\r\n"u8);
        Assert.False(framer.TryTake(out _, out _));
    }

    [Fact]
    public void Header_block_without_end_is_given_up_at_the_limit()
    {
        var framer = new SipStreamFramer();
        var chunk = new byte[1000];
        chunk.AsSpan().Fill((byte)'x');
        var pushed = 0;
        while (framer.Defect is SipDefect.None && pushed <= SipMessage.MaxHeaderLength + 1000)
        {
            framer.Push(chunk);
            pushed += chunk.Length;
            Assert.False(framer.TryTake(out _, out _));
        }

        Assert.Equal(SipDefect.TooLong, framer.Defect);
        Assert.InRange(pushed, SipMessage.MaxHeaderLength, SipMessage.MaxHeaderLength + 1000);
    }

    [Fact]
    public void Largest_body_passes()
    {
        var framer = new SipStreamFramer();
        framer.Push(Encoding.ASCII.GetBytes($"BYE sip:a@example.com SIP/2.0\r\nContent-Length: {SipMessage.MaxBodyLength}\r\n\r\n"));
        Assert.False(framer.TryTake(out _, out _));
        framer.Push(new byte[SipMessage.MaxBodyLength - 1]);
        Assert.False(framer.TryTake(out _, out _));
        framer.Push(new byte[1]);

        Assert.True(framer.TryTake(out _, out var message));
        Assert.True(message.Length > SipMessage.MaxBodyLength);
        Assert.False(framer.TryTake(out _, out _));
    }

    [Fact]
    public void Framing_allocates_nothing()
    {
        var bytes = Encoding.ASCII.GetBytes(Stream);
        var framer = new SipStreamFramer();
        var frames = Count(framer, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) frames += Count(framer, bytes);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(Frames.Length * 101, frames);
    }

    [Fact]
    public void Mutated_streams_never_throw()
    {
        var random = new Random(2);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = Encoding.ASCII.GetBytes(Stream);
            for (var i = random.Next(1, 6); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

            Feed(new(), bytes.Chunk(random.Next(1, 80)));
        }
    }

    private static int Count(SipStreamFramer framer, byte[] bytes)
    {
        framer.Push(bytes);
        var count = 0;
        while (framer.TryTake(out _, out _)) count++;

        return count;
    }

    private static List<string> Feed(SipStreamFramer framer, IEnumerable<byte[]> chunks)
    {
        var frames = new List<string>();
        foreach (var chunk in chunks)
        {
            framer.Push(chunk);
            while (framer.TryTake(out var kind, out var message)) frames.Add(kind is SipFrameKind.Ping ? "Ping" : Wired.Text(message));
        }

        return frames;
    }
}
