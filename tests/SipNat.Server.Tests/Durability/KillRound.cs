using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using SipNat.Bench.Siprec;

namespace SipNat.Server.Tests.Durability;

/// <summary>
/// Recordings of a server that is killed in their middle and started again: every one of them has to be there up to
/// the last second, and to be told as interrupted. Real processes, real sockets of loopback, real time.
/// </summary>
internal sealed class KillRound(string serverProgram, int recordings, TimeSpan killAfter) : IDisposable
{
    private const int WavHeaderLength = 94;
    private const int SamplesPerSecond = 8000;
    private const int StreamsPerRecording = 2;

    // What the two sides' clocks cannot tell: the client's start is known by a line that it prints before it.
    private static readonly TimeSpan MaxMissing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("sipnat-kill-").FullName;
    private readonly int _sipPort = LoopbackPorts.Next();

    /// <returns>The longest that was missing of any stream, in seconds.</returns>
    public async Task<double> RunAsync(CancellationToken stop)
    {
        using var clients = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var calls = Enumerable.Range(0, recordings).Select(i => new Call(i, _sipPort, _folder)).ToList();
        List<Task<SiprecClientReport>> running;
        long killedAt;
        using (var server = await StartAsync(stop))
        {
            try
            {
                running = calls.ConvertAll(call => call.RunAsync(clients.Token));
                await Task.WhenAll(calls.Select(call => call.Begun.WaitAsync(ReadyLimit, stop)));
                await Task.Delay(killAfter, stop);
                killedAt = Stopwatch.GetTimestamp();
            }
            finally
            {
                server.Kill();
            }

            await server.WaitForExitAsync(stop);
        }

        using var again = await StartAsync(stop);
        try
        {
            // The server that was started again knows no such dialog, and says so: the clients need not wait.
            await clients.CancelAsync();
            await Task.WhenAll(running);
            var listed = await ListAsync(stop);
            return calls.Max(call => Missing(listed, call, running[call.Number].Result, killedAt));
        }
        finally
        {
            again.Kill();
            await again.WaitForExitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private double Missing(JsonElement listed, Call call, SiprecClientReport report, long killedAt)
    {
        var recording = Assert.Single(listed.EnumerateArray(), element => element.GetProperty("callId").GetString() == report.CallId);
        Assert.Equal("interrupted", recording.GetProperty("state").GetString());
        var streams = recording.GetProperty("streams").EnumerateArray().ToList();
        Assert.Equal(StreamsPerRecording, streams.Count);

        var sentSeconds = Stopwatch.GetElapsedTime(call.BegunAt, killedAt).TotalSeconds;
        return streams.Zip(report.Streams).Max(pair =>
        {
            var file = Assert.Single(pair.First.GetProperty("files").EnumerateArray().ToList());
            var audio = ReadAudio(Path.Combine(_folder, "recordings", file.GetProperty("file").GetString()!));
            var sent = File.ReadAllBytes(Path.Combine(call.SentFolder, pair.Second.File!));
            Assert.True(audio.Length <= sent.Length && sent.AsSpan(0, audio.Length).SequenceEqual(audio), $"{report.CallId}: the file is not the beginning of what was sent.");
            Assert.Equal((double)audio.Length / SamplesPerSecond, file.GetProperty("durationSeconds").GetDouble(), 0.001);

            var missing = sentSeconds - ((double)audio.Length / SamplesPerSecond);
            Assert.True(missing <= MaxMissing.TotalSeconds, $"{report.CallId}: {missing:F3} s are missing before the kill.");
            return missing;
        });
    }

    private async Task<JsonElement> ListAsync(CancellationToken stop)
    {
        using var verify = Start("recordings", "verify");
        var problems = await verify.StandardOutput.ReadToEndAsync(stop);
        await verify.WaitForExitAsync(stop);
        Assert.Equal((0, "Nothing is wrong.\n"), (verify.ExitCode, problems));

        using var list = Start("recordings", "list", "--json");
        var json = await list.StandardOutput.ReadToEndAsync(stop);
        await list.WaitForExitAsync(stop);
        return JsonDocument.Parse(json).RootElement;
    }

    private async Task<Process> StartAsync(CancellationToken stop)
    {
        var server = Start("serve");
        try
        {
            var line = await server.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(ReadyLimit, stop);
            Assert.StartsWith("ready", line, StringComparison.Ordinal);
            return server;
        }
        catch
        {
            server.Kill();
            server.Dispose();
            throw;
        }
    }

    private Process Start(params ReadOnlySpan<string> command)
    {
        var media = 20_000 + (_sipPort % 300 * 100);
        string[] settings =
        [
            $"Sip:Listen:0=udp://127.0.0.1:{_sipPort}", "Http:Listen=http://127.0.0.1:0",
            $"Media:FirstPort={media}", $"Media:LastPort={media + 499}",
            $"Recording:Directory={Path.Combine(_folder, "recordings")}", $"Recording:Database=Data Source={Path.Combine(_folder, "catalogue.db")}",
        ];
        string[] arguments = [serverProgram, .. command, .. settings.SelectMany(setting => new[] { "--set", setting })];
        return Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
    }

    private static byte[] ReadAudio(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.AsSpan(WavHeaderLength, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(WavHeaderLength - 4))).ToArray();
    }

    /// <summary>One client, and the moment at which its audio began.</summary>
    private sealed class Call(int number, int sipPort, string folder)
    {
        private readonly StartLine _lines = new();

        public int Number => number;

        public string SentFolder { get; } = Path.Combine(folder, $"sent-{number}");

        public Task Begun => _lines.Seen;

        public long BegunAt => _lines.SeenAt;

        public async Task<SiprecClientReport> RunAsync(CancellationToken stop)
        {
            var options = new SiprecClientOptions
            {
                Server = new IPEndPoint(IPAddress.Loopback, sipPort),
                Duration = TimeSpan.FromMinutes(1),
                Streams = StreamsPerRecording,
                Seed = number + 1,
                SentDirectory = SentFolder,
            };
            using var client = new SiprecClient(options, _lines);
            return await client.RunAsync(stop);
        }
    }

    // The client says where its last stream goes, and begins to send.
    private sealed class StartLine : StringWriter
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => _seen.Task;

        public long SeenAt { get; private set; }

        public override void WriteLine(string? value)
        {
            if (value?.Contains($"stream {StreamsPerRecording} goes to", StringComparison.Ordinal) is not true || _seen.Task.IsCompleted) return;

            SeenAt = Stopwatch.GetTimestamp();
            _seen.SetResult();
        }
    }
}
