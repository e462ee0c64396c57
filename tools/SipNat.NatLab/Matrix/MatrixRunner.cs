using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using SipNat.NatLab.Commands;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Matrix;

/// <summary>Builds a laboratory for each pair, runs a side on each host in every mode, and reads what both say.</summary>
public static class MatrixRunner
{
    private static readonly TimeSpan PairLimit = TimeSpan.FromMinutes(3);
    private static readonly string[] TurnArguments = ["--no-tls", "--lt-cred-mech", "--user", "lab:lab", "--realm", "lab"];

    /// <param name="jobs">Laboratories at the same time.</param>
    /// <param name="tell">Told of each pair when it is over.</param>
    public static async Task<IReadOnlyList<MatrixCell>> RunAsync(IReadOnlyList<MatrixPair> pairs, int jobs, Action<MatrixPair, IReadOnlyList<MatrixCell>> tell, CancellationToken stop)
    {
        var waiting = new ConcurrentQueue<MatrixPair>(pairs);
        var done = new ConcurrentDictionary<MatrixPair, IReadOnlyList<MatrixCell>>();
        await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => WorkAsync()));
        return [.. pairs.SelectMany(pair => done[pair])];

        async Task WorkAsync()
        {
            while (waiting.TryDequeue(out var pair))
            {
                done[pair] = await RunAsync(pair, stop);
                tell(pair, done[pair]);
            }
        }
    }

    /// <exception cref="LabException">The laboratory could not be built, or a side failed.</exception>
    public static async Task<IReadOnlyList<MatrixCell>> RunAsync(MatrixPair pair, CancellationToken stop)
    {
        await using var lab = await NatLaboratory.CreateAsync(new() { Left = pair.Left, Right = pair.Right, SameAddress = pair.SameAddress }, stop);
        await using var coturn = await CoturnServer.StartAsync(lab, stop, TurnArguments);
        var folder = Directory.CreateTempSubdirectory("sipnat-matrix-");
        try
        {
            await using var left = Start(lab, LabNetwork.LeftHost, "controlling", lab.RightPublicAddress, folder);
            await using var right = Start(lab, LabNetwork.RightHost, "controlled", lab.LeftPublicAddress, folder);
            var ends = await Task.WhenAll(left.WaitForExitAsync(PairLimit, stop), right.WaitForExitAsync(PairLimit, stop));
            if (ends[0] != 0) throw left.Failure("failed");
            if (ends[1] != 0) throw right.Failure("failed");

            return [.. Read(left).Zip(Read(right), (l, r) => new MatrixCell(pair, l.Mode, l.Result, r.Result))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static LabProcess Start(NatLaboratory lab, string host, string role, IPAddress peer, DirectoryInfo folder) => lab.Host(host).Start(
        LabRequirements.Find("dotnet") ?? "dotnet",
        [
            typeof(MatrixRunner).Assembly.Location, "media", "--role", role, "--local", $"{lab.Host(host).Address}", "--peer", $"{peer}",
            "--folder", folder.FullName, "--stun", CoturnServer.Address, "--stun", CoturnServer.OtherAddress, "--turn", CoturnServer.Address,
        ]);

    private static IEnumerable<MediaLine> Read(LabProcess side) => side.Output
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => JsonSerializer.Deserialize(line, MediaJson.Default.MediaLine)!);
}
