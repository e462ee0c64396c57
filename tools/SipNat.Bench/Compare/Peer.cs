using System.Diagnostics;
using System.Net;

namespace SipNat.Bench.Compare;

/// <summary>A program that is measured beside the recorder: it receives RTP on ports of its own, without any signalling.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task<string> _error;

    private Peer(Process process, IReadOnlyList<IPEndPoint> targets)
    {
        (_process, Targets) = (process, targets);
        _error = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>Where each stream is to be sent.</summary>
    public IReadOnlyList<IPEndPoint> Targets { get; }

    /// <summary>Starts a program that prints a line "ready", and one JSON document when its input ends.</summary>
    /// <exception cref="InvalidDataException">It is not there, or did not become ready.</exception>
    public static async Task<Peer> StartAsync(IReadOnlyList<string> command, IReadOnlyList<IPEndPoint> targets, CancellationToken stop)
    {
        var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var peer = new Peer(process, targets);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(StartLimit);
        if (await process.StandardOutput.ReadLineAsync(limit.Token) == "ready") return peer;

        var said = await peer._error;
        await peer.DisposeAsync();
        throw new InvalidDataException($"{string.Join(' ', command)} did not become ready: {said}");
    }

    /// <summary>Ends it and gives what it says of what it has received.</summary>
    public async Task<string> FinishAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(EndLimit);
        return await _process.StandardOutput.ReadToEndAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
