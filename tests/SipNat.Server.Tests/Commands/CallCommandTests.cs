using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using SipNat.Media.Wav;
using SipNat.Server.Commands;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Tests.Tracing;

namespace SipNat.Server.Tests.Commands;

public sealed class CallCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CallCommandTests() => File.WriteAllText(_folder["sipnat.json"], """{ "Media": { "Address": "127.0.0.1" } }""");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_call_to_an_echo_line_is_heard_recorded_and_told_whole()
    {
        File.WriteAllBytes(_folder["tone.wav"], Tone());
        var port = LoopbackPorts.Next();
        var answer = RunAsync("answer", "--echo", "--json", "--set", $"Sip:Listen:0=udp://127.0.0.1:{port}");
        await Task.WhenAny(answer, WaitForPortAsync(port));

        var (code, output, error) = await RunAsync(
            "call", $"sip:echo@127.0.0.1:{port}", "--json", "--play", _folder["tone.wav"], "--record", _folder["heard.wav"], "--duration", "3", "--trace", _folder["call.pcap"],
            "--set", $"Sip:Listen:0=udp://127.0.0.1:{LoopbackPorts.Next()}", "--set", "Nat:Ice=Off");

        Assert.Equal((0, ""), (code, error));
        using var report = JsonDocument.Parse(output);
        var root = report.RootElement;
        Assert.Equal(
            ["schema", "result", "status", "reason", "durationSeconds", "path", "sent", "received", "peerReports", "verdict", "recovered"],
            root.EnumerateObject().Select(p => p.Name).Take(11));
        Assert.Equal(("answered", 200, "audio"), (root.GetProperty("result").GetString(), root.GetProperty("status").GetInt32(), root.GetProperty("verdict").GetProperty("inbound").GetString()));
        Assert.InRange(root.GetProperty("durationSeconds").GetDouble(), 2.9, 4);
        Assert.Equal(("host", false), (root.GetProperty("path").GetProperty("localKind").GetString(), root.GetProperty("path").GetProperty("ice").GetBoolean()));

        var heard = File.ReadAllBytes(_folder["heard.wav"]);
        Assert.True(WavHeader.TryRead(heard, heard.Length, out var header, out _));
        Assert.Equal(2, header.Format.Channels);
        Assert.InRange(header.Seconds, 2.5, 4);

        var (answered, told, _) = await answer;
        Assert.Equal(0, answered);
        using var other = JsonDocument.Parse(told);
        Assert.Equal("answered", other.RootElement.GetProperty("result").GetString());
        await CheckTraceAsync(port);
    }

    // The ladder of the call, and its audio, which a reader finds by the descriptions.
    private async Task CheckTraceAsync(int port)
    {
        var ladder = await CaptureReader.ReadAsync(_folder["call.pcap"], $"sip && udp.port == {port}", ["sip.Method", "sip.Status-Code", "sip.CSeq.method"]);
        Assert.Equal(["INVITE||INVITE", "|200|INVITE", "ACK||ACK", "BYE||BYE", "|200|BYE"], ladder.Where(line => !line.Contains("|1", StringComparison.Ordinal)));

        var audio = await CaptureReader.ReadAsync(_folder["call.pcap"], "rtp", ["frame.cap_len", "rtp.ssrc"]);
        Assert.InRange(audio.Count, 200, 400);
        Assert.All(audio, line => Assert.StartsWith("40|", line, StringComparison.Ordinal));
        Assert.Equal(2, audio.Distinct().Count());
    }

    [Theory]
    [InlineData(2, "call")]
    [InlineData(2, "call", "sip:")]
    [InlineData(2, "call", "sip:x@127.0.0.1", "--duration", "0")]
    [InlineData(2, "call", "sip:x@127.0.0.1", "--dtmf", "1x")]
    [InlineData(2, "call", "sip:x@127.0.0.1", "--play", "nowhere.wav")]
    [InlineData(2, "call", "sip:x@127.0.0.1", "--account", "nobody")]
    [InlineData(2, "answer", "--echo", "--play", "nowhere.wav")]
    [InlineData(3, "call", "sip:x@name.invalid")]
    public async Task What_cannot_be_done_is_said_with_its_exit_code(int expected, params string[] args)
    {
        var (code, output, error) = await RunAsync(args);

        Assert.Equal(expected, code);
        Assert.NotEqual("", error + output);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = await SipNatCommandLine.RunAsync([.. args, "--config", _folder["sipnat.json"]], output, error);
        return (code, output.ToString(), error.ToString());
    }

    private static async Task WaitForPortAsync(int port)
    {
        for (var tries = 0; tries < 200; tries++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            }
            catch (SocketException)
            {
                return;
            }

            socket.Dispose();
            await Task.Delay(50);
        }
    }

    // Two seconds of 1 kHz, as any program would write them.
    private static byte[] Tone()
    {
        var file = new byte[44 + (2 * 16_000)];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), 8_000);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), 16_000);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 16);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), file.Length - 44);
        for (var i = 0; i < 16_000; i++) BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(44 + (2 * i)), (short)(8_000 * Math.Sin(2 * Math.PI * i / 8)));
        return file;
    }
}
