using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.MediaEngine;

/// <summary>The built program as a recorder on the loopback addresses of this machine, against messages that are written here by hand.</summary>
public sealed class BuiltRecorderTests : IDisposable
{
    private const string Ufrag = "abcd";
    private const int Frames = 50;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly UdpClient _sip = new(new IPEndPoint(IPAddress.Loopback, 0));

    public void Dispose()
    {
        _sip.Dispose();
        _deadline.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_call_that_came_in_by_IPv4_is_recorded_by_IPv6_where_ICE_takes_it()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        _deadline.CancelAfter(Limit);
        using var media4 = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var media6 = new UdpClient(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        using var server = Start("serve", "--set", "Sip:Listen:0=udp://127.0.0.1:0", "--set", "Http:Listen=http://127.0.0.1:0");
        string answer;
        try
        {
            var ready = await server.StandardOutput.ReadLineAsync(_deadline.Token) ?? "";
            _sip.Connect(IPAddress.Loopback, int.Parse(ready.Split("udp://127.0.0.1:")[1].Split(' ')[0], CultureInfo.InvariantCulture));

            answer = await RequestAsync("INVITE", 1, Offer(PortOf(media4), PortOf(media6)));
            await SendAsync("ACK", 1, TagOf(answer));
            var host = CandidateOf(answer, "::1");
            await CheckAsync(media6, host, Value(answer, "a=ice-ufrag:"), Value(answer, "a=ice-pwd:"));
            for (var i = 0; i < Frames; i++) await media6.SendAsync(Rtp(i), host, _deadline.Token);
            await Task.WhenAll(RequestAsync("BYE", 2, "", TagOf(answer)));
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", $"{server.Id}"]);
            await server.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Contains("c=IN IP4 127.0.0.1\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(2, answer.Split("\r\na=candidate:").Length - 1);
        using var list = Start("recordings", "list", "--json");
        using var document = JsonDocument.Parse(await list.StandardOutput.ReadToEndAsync(_deadline.Token));
        var stream = document.RootElement[0].GetProperty("streams")[0];
        Assert.Equal((Frames, 0), (stream.GetProperty("packets").GetInt32(), stream.GetProperty("lost").GetInt32()));
        Assert.Equal($"[::1]:{PortOf(media6)}", stream.GetProperty("remote").GetString());
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Portable")]
    public async Task The_socket_of_a_stream_that_runs_is_visited_in_turn(string engine)
    {
        _deadline.CancelAfter(Limit);
        using var media = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var http = new HttpClient();
        using var server = Start("serve", "--set", "Sip:Listen:0=udp://127.0.0.1:0", "--set", "Http:Listen=http://127.0.0.1:0", "--set", $"Media:Engine={engine}");
        try
        {
            var ready = await server.StandardOutput.ReadLineAsync(_deadline.Token) ?? "";
            _sip.Connect(IPAddress.Loopback, int.Parse(ready.Split("udp://127.0.0.1:")[1].Split(' ')[0], CultureInfo.InvariantCulture));
            var metrics = new Uri($"http://{ready.Split("http://")[1].Split(' ')[0].TrimEnd('/')}/metrics");

            var answer = await RequestAsync("INVITE", 1, PlainOffer(PortOf(media)));
            await SendAsync("ACK", 1, TagOf(answer));
            var target = new IPEndPoint(IPAddress.Loopback, int.Parse(Value(answer, "m=audio ").Split(' ')[0], CultureInfo.InvariantCulture));

            // A stream, until it is seen to be visited: its source has to be known first.
            var swept = "0";
            for (var i = 0; swept == "0"; i++)
            {
                await media.SendAsync(Rtp(i), target, _deadline.Token);
                swept = (await http.GetStringAsync(metrics, _deadline.Token)).Split("\nsipnat_media_sockets_swept ")[1].Split('\n')[0];
            }

            // Where nothing but asking is possible, every socket is visited in turn, spare ones too.
            if (engine == "Auto") Assert.Equal("1", swept);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Two_media_threads_have_one_session_each_and_record_both()
    {
        _deadline.CancelAfter(Limit);
        string[] calls = ["first", "second"];
        using var media = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var http = new HttpClient();
        using var server = Start("serve", "--set", "Sip:Listen:0=udp://127.0.0.1:0", "--set", "Http:Listen=http://127.0.0.1:0", "--set", "Media:Threads=2");
        string[] shared;
        try
        {
            var ready = await server.StandardOutput.ReadLineAsync(_deadline.Token) ?? "";
            _sip.Connect(IPAddress.Loopback, int.Parse(ready.Split("udp://127.0.0.1:")[1].Split(' ')[0], CultureInfo.InvariantCulture));
            var metrics = new Uri($"http://{ready.Split("http://")[1].Split(' ')[0].TrimEnd('/')}/metrics");

            var answers = new List<string>();
            foreach (var call in calls)
            {
                answers.Add(await RequestAsync("INVITE", 1, PlainOffer(PortOf(media)), callId: call));
                await SendAsync("ACK", 1, TagOf(answers[^1]), callId: call);
            }

            for (var i = 0; i < Frames; i++)
            {
                foreach (var answer in answers)
                {
                    var port = int.Parse(Value(answer, "m=audio ").Split(' ')[0], CultureInfo.InvariantCulture);
                    await media.SendAsync(Rtp(i), new IPEndPoint(IPAddress.Loopback, port), _deadline.Token);
                }
            }

            shared = [.. (await http.GetStringAsync(metrics, _deadline.Token)).Split('\n').Where(line => line.StartsWith("sipnat_media_threads", StringComparison.Ordinal))];
            foreach (var (call, answer) in calls.Zip(answers)) await RequestAsync("BYE", 2, "", TagOf(answer), call);
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", $"{server.Id}"]);
            await server.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Equal(["sipnat_media_threads 2", "sipnat_media_threads_streams 1"], shared);
        using var list = Start("recordings", "list", "--json");
        using var document = JsonDocument.Parse(await list.StandardOutput.ReadToEndAsync(_deadline.Token));
        var streams = document.RootElement.EnumerateArray().SelectMany(recording => recording.GetProperty("streams").EnumerateArray());
        Assert.Equal([(Frames, 0), (Frames, 0)], streams.Select(stream => (stream.GetProperty("packets").GetInt32(), stream.GetProperty("lost").GetInt32())));
    }

    private static string Offer(int port4, int port6) => PlainOffer(port4) +
        $"a=ice-ufrag:{Ufrag}\r\na=ice-pwd:0123456789012345678901\r\na=candidate:1 1 UDP 2130706431 127.0.0.1 {port4} typ host\r\n" +
        $"a=candidate:2 1 UDP 2130706175 ::1 {port6} typ host\r\n";

    private static string PlainOffer(int port) =>
        $"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtcp-mux\r\na=label:1\r\na=sendonly\r\n";

    private async Task SendAsync(string method, int cseq, string toTag = "", string body = "", string callId = "further")
    {
        var text = $"{method} sip:recorder@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {_sip.Client.LocalEndPoint};branch=z9hG4bK{callId}{method}{cseq};rport\r\nMax-Forwards: 70\r\n" +
            $"From: <sip:client@127.0.0.1>;tag=1\r\nTo: <sip:recorder@127.0.0.1>{toTag}\r\nCall-ID: {callId}\r\nCSeq: {cseq} {method}\r\n" +
            $"Contact: <sip:client@{_sip.Client.LocalEndPoint}>\r\n{(body.Length > 0 ? "Content-Type: application/sdp\r\n" : "")}Content-Length: {body.Length}\r\n\r\n{body}";
        await _sip.SendAsync(Encoding.ASCII.GetBytes(text), _deadline.Token);
    }

    private async Task<string> RequestAsync(string method, int cseq, string body, string toTag = "", string callId = "further")
    {
        await SendAsync(method, cseq, toTag, body, callId);
        while (true)
        {
            var response = Encoding.ASCII.GetString((await _sip.ReceiveAsync(_deadline.Token)).Buffer);
            if (response.StartsWith("SIP/2.0 200", StringComparison.Ordinal) && response.Contains($"CSeq: {cseq} {method}", StringComparison.Ordinal) && Value(response, "Call-ID: ") == callId) return response;
        }
    }

    // RFC 8445 §7.1: a check of a controlling agent, and the answer to it.
    private async Task CheckAsync(UdpClient from, IPEndPoint to, string ufrag, string password)
    {
        byte[] id = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        var check = new List<byte> { 0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42 };
        check.AddRange(id);
        var username = Encoding.ASCII.GetBytes($"{ufrag}:{Ufrag}");
        Add(check, 0x0006, username);
        Add(check, 0x0024, [0x6E, 0, 0xFE, 0xFF]);
        Add(check, 0x802A, [1, 2, 3, 4, 5, 6, 7, 8]);
        // The length counts up to and with the attribute that the hash fills (RFC 8489 §14.5).
        SetLength(check, check.Count - 20 + 24);
        Add(check, 0x0008, HMACSHA1.HashData(Encoding.ASCII.GetBytes(password), check.ToArray()));
        SetLength(check, check.Count - 20);

        await from.SendAsync(check.ToArray(), to, _deadline.Token);
        while (true)
        {
            var answer = (await from.ReceiveAsync(_deadline.Token)).Buffer;
            if (answer is [1, 1, ..] && answer.AsSpan(8, 12).SequenceEqual(id)) return;
        }
    }

    private static void Add(List<byte> message, ushort type, byte[] value)
    {
        message.AddRange([(byte)(type >> 8), (byte)type, 0, (byte)value.Length]);
        message.AddRange(value);
        while (message.Count % 4 != 0) message.Add(0);
    }

    private static void SetLength(List<byte> message, int length) => (message[2], message[3]) = ((byte)(length >> 8), (byte)length);

    private static byte[] Rtp(int index)
    {
        var packet = new byte[12 + 160];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)index);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), index * 160);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(8), 0x1234);
        return packet;
    }

    private static int PortOf(UdpClient client) => ((IPEndPoint)client.Client.LocalEndPoint!).Port;

    private static string Value(string message, string name) => message.Split($"\r\n{name}")[1].Split("\r\n")[0];

    private static string TagOf(string response) => $";tag={Value(response, "To: ").Split(";tag=")[1]}";

    private static IPEndPoint CandidateOf(string answer, string address) => answer.Split("\r\n")
        .Where(line => line.StartsWith("a=candidate:", StringComparison.Ordinal))
        .Select(line => line.Split(' '))
        .Where(words => words[4] == address)
        .Select(words => new IPEndPoint(IPAddress.Parse(words[4]), int.Parse(words[5], CultureInfo.InvariantCulture)))
        .Single();

    private Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Repository.ServerProgram, .. arguments])
    {
        WorkingDirectory = _folder.Path,
        UseShellExecute = false,
        RedirectStandardOutput = true,
    })!;
}
