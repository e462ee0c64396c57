using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Runs one measuring core with sockets of its own until it has a result.</summary>
internal sealed class ProbeHost(ILoggerFactory logs)
{
    // What is sent to measure is nothing of the service's: /metrics leaves it out.
    private const string Meter = "Probe";

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    public ServerClock Clock { get; } = new(TimeProvider.System);

    public FlowIds Flows { get; } = new();

    public ILoggerFactory Logs => logs;

    /// <param name="core">The core.</param>
    /// <param name="sockets">An address for each of its UDP sockets; a port that is taken becomes a free one.</param>
    /// <param name="result">The core's result; null while it measures.</param>
    /// <param name="progress">Runs again and again while it measures, under the core's lock.</param>
    /// <param name="connections">What its connections carry, where it asks for any.</param>
    public async Task<T> RunAsync<T>(
        IProtocolCore core, IEnumerable<TransportAddress> sockets, Func<T?> result, Action progress, CancellationToken stop, ConnectionOptions? connections = null)
        where T : class
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new CoreHost(core, Clock, Flows, new(), logs, connections, Meter)
        {
            AfterDrain = _ =>
            {
                if (result() is { } found) done.TrySetResult(found);
            },
        };
        foreach (var local in sockets) Open(host, local);
        while (!done.Task.IsCompleted)
        {
            await Task.WhenAny(done.Task, Task.Delay(ProgressInterval, stop));
            stop.ThrowIfCancellationRequested();
            host.Post(_ => progress());
        }

        return await done.Task;
    }

    private static void Open(CoreHost host, TransportAddress local)
    {
        try
        {
            host.OpenUdp(local);
        }
        catch (SocketException) when (local.Port != 0)
        {
            host.OpenUdp(local.WithPort(0));
        }
    }
}
