using System.Diagnostics;
using System.Net;

namespace SipNat.Bench.Compare;

/// <summary>
/// <c>tcpdump -w</c> on the loopback interface. It receives nothing: the kernel copies each packet for it, in the time of
/// whoever sends.
/// </summary>
internal sealed class TcpdumpPeer : IPeer
{
    private const string Program = "tcpdump";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly PeerProcess _process;
    private readonly SilentPorts _ports;
    private readonly string _file;

    private TcpdumpPeer(PeerProcess process, SilentPorts ports, string file, IReadOnlyList<IPEndPoint> targets) =>
        (_process, _ports, _file, Targets) = (process, ports, file, targets);

    public int Id => _process.Id;

    public IReadOnlyList<IPEndPoint> Targets { get; }

    public static string Note(bool isAllIn) => isAllIn ? "one file for all" : "one file for all; the kernel's copy is made in the sender's time";

    /// <param name="targets">With ports that follow each other.</param>
    /// <exception cref="InvalidDataException">It is not installed, or may not capture.</exception>
    public static async Task<IPeer> StartAsync(int? core, string folder, IReadOnlyList<IPEndPoint> targets, CancellationToken stop)
    {
        var file = Path.Combine(folder, "all.pcap");
        var program = PeerProcess.Find(Program, Program);
        var ports = new SilentPorts(targets);
        var process = PeerProcess.Start(core, [program, "-Z", "root", "-n", "-i", "lo", "-w", file, $"udp dst portrange {targets[0].Port}-{targets[^1].Port}"]);
        var peer = new TcpdumpPeer(process, ports, file, targets);
        try
        {
            // The file is made when the interface is open.
            var clock = Stopwatch.StartNew();
            while (!File.Exists(file) && !process.HasExited && clock.Elapsed < StartLimit) await Task.Delay(Poll, stop);
            if (File.Exists(file) && !process.HasExited) return peer;

            throw new InvalidDataException($"tcpdump does not capture: {(await process.EndAsync()).ReplaceLineEndings(" ").Trim()}");
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public async Task<long> FinishAsync()
    {
        await _process.EndAsync("INT");
        return PcapFile.CountPackets(_file);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _ports.Dispose();
    }
}
