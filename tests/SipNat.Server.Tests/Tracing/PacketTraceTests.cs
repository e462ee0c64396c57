using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Tracing;
using SipNat.Wire;

namespace SipNat.Server.Tests.Tracing;

public sealed class PacketTraceTests : IDisposable
{
    private const string NoDefect = "!(ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 || tcp.analysis.flags)";
    private static readonly TransportAddress Us = TransportAddress.Parse("192.168.1.10:40000");
    private static readonly TransportAddress Them = TransportAddress.Parse("198.51.100.2:5060");

    private readonly TemporaryFolder _folder = new();
    private readonly ServerClock _clock = new(TimeProvider.System);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TransportProtocol.Udp, "198.51.100.2:5060")]
    [InlineData(TransportProtocol.Udp, "198.51.100.2:61234")]
    [InlineData(TransportProtocol.Tcp, "198.51.100.2:5060")]
    [InlineData(TransportProtocol.Tls, "198.51.100.2:5061")]
    public async Task A_foreign_reader_finds_the_requests_and_their_answers(TransportProtocol transport, string server)
    {
        var them = TransportAddress.Parse(server);
        await using (var trace = Open())
        {
            trace.TakeSignalling(_clock.Now, transport, Us, them, Message("REGISTER sip:example.com SIP/2.0"));
            trace.TakeSignalling(_clock.Now, transport, them, Us, Message("SIP/2.0 401 Unauthorized"));
            trace.TakeSignalling(_clock.Now, transport, Us, them, Message("REGISTER sip:example.com SIP/2.0", new string('x', 20_000)));
        }

        Assert.Equal(
            ["192.168.1.10|198.51.100.2|REGISTER|", "198.51.100.2|192.168.1.10||401", "192.168.1.10|198.51.100.2|REGISTER|"],
            await CaptureReader.ReadAsync(_folder["t.pcap"], $"sip && {NoDefect}", ["ip.src", "ip.dst", "sip.Method", "sip.Status-Code"]));
    }

    [Fact]
    public async Task Of_media_headers_are_read_and_nothing_else_is_there()
    {
        byte[] rtp = [0x80, 0, 0, 7, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, .. Enumerable.Repeat((byte)0x5a, 160)];
        await using (var trace = Open())
        {
            trace.TakeMedia(_clock.Now, Us, Them, rtp);
            trace.TakeMedia(_clock.Now, Them, Us, [0x80, 0xc9, 0, 1, 0xde, 0xad, 0xbe, 0xef]);
        }

        Assert.Equal(["200|7|0xdeadbeef|160"], await CaptureReader.ReadAsync(_folder["t.pcap"], "rtp", ["frame.len", "rtp.seq", "rtp.ssrc", "rtp.timestamp"], 40000));
        Assert.False(File.ReadAllBytes(_folder["t.pcap"]).AsSpan().IndexOf((byte)0x5a) >= 0);
    }

    [Fact]
    public async Task No_secret_is_in_the_file_however_it_travelled()
    {
        string[] secrets = ["6629fae49393a05397450978507c4ef1", "0a4f113b", "zanzibar", "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "asd88fgpdd777uzjYhagZg"];
        var request = Message(
            $"INVITE sip:bob:{secrets[2]}@example.com SIP/2.0",
            $"v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{secrets[3]}\r\na=ice-pwd:{secrets[4]}\r\n",
            $"Proxy-Authorization: Digest username=\"bob\", response=\"{secrets[0]}\", cnonce={secrets[1]}\r\nContent-Type: application/sdp\r\n");
        await using (var trace = Open())
        {
            foreach (var transport in new[] { TransportProtocol.Udp, TransportProtocol.Tcp, TransportProtocol.Tls }) trace.TakeSignalling(_clock.Now, transport, Us, Them, request);
            trace.TakeMedia(_clock.Now, Us, Them, request);
        }

        var file = Encoding.Latin1.GetString(File.ReadAllBytes(_folder["t.pcap"]));
        Assert.Equal(3, file.Split("username=\"bob\"").Length - 1);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, file, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_full_makes_room_and_both_are_whole()
    {
        await using (var trace = Open(maxFileLength: 2_000))
        {
            for (var i = 0; i < 4; i++)
            {
                trace.TakeSignalling(_clock.Now, TransportProtocol.Udp, Us, Them, Message($"OPTIONS sip:{i} SIP/2.0", new string('x', 1_000)));
            }
        }

        Assert.Equal(["sip:3"], await CaptureReader.ReadAsync(_folder["t.pcap"], "sip", ["sip.r-uri"]));
        Assert.Equal(["sip:2"], await CaptureReader.ReadAsync(_folder["t.pcap.1"], "sip", ["sip.r-uri"]));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public async Task What_finds_no_room_is_counted_and_nothing_waits()
    {
        const int Sent = 20_000;
        byte[] rtp = [0x80, 0, 0, 7, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef];
        long dropped;
        await using (var trace = Open())
        {
            for (var i = 0; i < Sent; i++) trace.TakeMedia(_clock.Now, Us, Them, rtp);
            dropped = trace.Dropped;
        }

        Assert.InRange(dropped, 0, Sent - PacketTrace.MaxQueued);
        Assert.Equal(24 + ((Sent - dropped) * (16 + 28 + rtp.Length)), new FileInfo(_folder["t.pcap"]).Length);
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_named()
    {
        var error = Assert.Throws<UnavailableException>(() => PacketTrace.Open(_folder["nowhere/t.pcap"], _clock, NullLoggerFactory.Instance));

        Assert.Contains("nowhere/t.pcap", error.Message, StringComparison.Ordinal);
    }

    private PacketTrace Open(long maxFileLength = PacketTrace.MaxFileLength) =>
        PacketTrace.Open(_folder["t.pcap"], _clock, NullLoggerFactory.Instance, maxFileLength)!;

    private static byte[] Message(string first, string body = "", string headers = "") => Encoding.ASCII.GetBytes(
        $"{first}\r\nVia: SIP/2.0/UDP 192.168.1.10:40000;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n" +
        $"Call-ID: 1\r\nCSeq: 1 {(first.StartsWith("SIP", StringComparison.Ordinal) ? "REGISTER" : first.Split(' ')[0])}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}");
}
