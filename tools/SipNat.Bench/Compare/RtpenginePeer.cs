using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Compare;

/// <summary>
/// rtpengine in user space, with every call recorded as pcap. A call has two streams, and each is forwarded too, as there
/// is no recording without: to a port that nobody reads.
/// </summary>
internal sealed class RtpenginePeer : IPeer
{
    /// <summary>More than that is more than one core can do, and what is lost costs nothing.</summary>
    public const int MaxStreams = 1_500;

    private const string Program = "rtpengine";
    private const string Package = "rtpengine-daemon";
    private const int MaxPings = 50;

    // A call has two legs with a pair of ports each.
    private const int FirstPort = 20_000;
    private const int LastPort = 39_999;

    private readonly PeerProcess _process;
    private readonly NgClient _control;
    private readonly SilentPorts _forwarded;
    private readonly string _folder;
    private readonly List<IPEndPoint> _targets = [];
    private int _calls;

    private RtpenginePeer(PeerProcess process, NgClient control, SilentPorts forwarded, string folder) =>
        (_process, _control, _forwarded, _folder) = (process, control, forwarded, folder);

    public int Id => _process.Id;

    public IReadOnlyList<IPEndPoint> Targets => _targets;

    public static string Note(int streams) => streams > MaxStreams
        ? $"it forwards too; with {MaxStreams} streams, as one core does not do more"
        : "it forwards too";

    /// <exception cref="InvalidDataException">It is not installed, or does not do what it is asked.</exception>
    public static async Task<IPeer> StartAsync(int? core, string folder, IPAddress address, int streams, CancellationToken stop)
    {
        var program = PeerProcess.Find(Program, Package);
        var control = new IPEndPoint(address, FreePort(address));
        var process = PeerProcess.Start(core,
        [
            program, "--table=-1", $"--interface={address}", $"--listen-ng={control}", "--foreground", "--log-stderr", "--log-level=3", "--no-redis-required",
            $"--port-min={FirstPort}", $"--port-max={LastPort}", $"--pidfile={Path.Combine(folder, "pid")}",
            $"--recording-dir={folder}", "--recording-method=pcap", "--recording-format=raw",
        ]);
        var peer = new RtpenginePeer(process, new(control), new([new(address, 0)]), folder);
        try
        {
            await peer.WaitUntilUpAsync(stop);
            for (var i = 0; i < Math.Min(streams, MaxStreams) / 2; i++) await peer.AddCallAsync(address, stop);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public async Task<long> FinishAsync()
    {
        // With the call its file is written to the end.
        for (var i = 0; i < _calls; i++)
        {
            await _control.AskAsync("delete", new(StringComparer.Ordinal) { ["call-id"] = CallId(i), ["from-tag"] = "a", ["delete-delay"] = 0L }, CancellationToken.None);
        }

        await _process.EndAsync();
        return Directory.EnumerateFiles(_folder, "*.pcap", SearchOption.AllDirectories).Sum(PcapFile.CountPackets);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _control.Dispose();
        _forwarded.Dispose();
    }

    private async Task WaitUntilUpAsync(CancellationToken stop)
    {
        for (var i = 0; ; i++)
        {
            if (_process.HasExited) throw new InvalidDataException($"rtpengine ended: {(await _process.EndAsync()).ReplaceLineEndings(" ").Trim()}");
            try
            {
                await _control.AskAsync("ping", new(StringComparer.Ordinal), stop);
                return;
            }
            catch (InvalidDataException) when (i < MaxPings)
            {
                // It begins.
            }
        }
    }

    private async Task AddCallAsync(IPAddress address, CancellationToken stop)
    {
        var call = CallId(_calls++);
        var sdp = $"v=0\r\no=- {_calls} 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {_forwarded.First.Port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

        // Without "asymmetric" it would forward to where packets come from: back to the sender.
        var offered = await _control.AskAsync("offer", Fields(call, sdp), stop);
        var answer = Fields(call, sdp);
        answer["to-tag"] = "b";
        var answered = await _control.AskAsync("answer", answer, stop);
        await _control.AskAsync("start recording", new(StringComparer.Ordinal) { ["call-id"] = call }, stop);
        _targets.Add(new(address, PortOf(offered)));
        _targets.Add(new(address, PortOf(answered)));
    }

    private static SortedDictionary<string, object> Fields(string call, string sdp) => new(StringComparer.Ordinal)
    {
        ["call-id"] = call,
        ["from-tag"] = "a",
        ["sdp"] = sdp,
        ["flags"] = new List<object> { "asymmetric", "trust-address" },
        ["replace"] = new List<object> { "origin", "session-connection" },
        ["ICE"] = "remove",
    };

    private static string CallId(int number) => $"compare-{number.ToString(CultureInfo.InvariantCulture)}";

    private static int PortOf(string sdp)
    {
        var line = sdp.Split("\r\n").FirstOrDefault(line => line.StartsWith("m=audio ", StringComparison.Ordinal));
        return line?.Split(' ') is [_, var port, ..] && int.TryParse(port, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidDataException($"rtpengine gave no port: {sdp}");
    }

    private static int FreePort(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
