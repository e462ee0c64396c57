using System.Net;
using System.Text.Json;

namespace SipNat.Bench.Compare;

/// <summary>
/// A program of this project that receives RTP on given ports: it prints a line "ready", and one JSON document when its
/// input ends.
/// </summary>
internal sealed class ReportingPeer : IPeer
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly PeerProcess _process;

    private ReportingPeer(PeerProcess process, IReadOnlyList<IPEndPoint> targets) => (_process, Targets) = (process, targets);

    public int Id => _process.Id;

    public IReadOnlyList<IPEndPoint> Targets { get; }

    /// <exception cref="InvalidDataException">It is not there, or did not become ready.</exception>
    public static async Task<IPeer> StartAsync(int? core, IReadOnlyList<string> command, IReadOnlyList<IPEndPoint> targets, CancellationToken stop)
    {
        var process = PeerProcess.Start(core, command);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(StartLimit);
            if (await process.Output.ReadLineAsync(limit.Token) == "ready") return new ReportingPeer(process, targets);

            throw new InvalidDataException($"{command[0]} did not become ready: {await process.EndAsync()}");
        }
        catch (OperationCanceledException late) when (!stop.IsCancellationRequested)
        {
            await process.DisposeAsync();
            throw new InvalidDataException($"{command[0]} did not become ready in time.", late);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public async Task<long> FinishAsync()
    {
        _process.Input.Close();
        using var limit = new CancellationTokenSource(EndLimit);
        using var said = JsonDocument.Parse(await _process.Output.ReadToEndAsync(limit.Token));
        return said.RootElement.GetProperty("received").GetInt64();
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
