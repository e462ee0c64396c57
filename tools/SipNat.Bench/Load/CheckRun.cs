using System.Collections.Concurrent;
using System.Net;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Load;

/// <summary>
/// A hundred connectivity checks a second on the media sockets of a few sessions with ICE, beside those that are recorded:
/// how long somebody waits whose packet has to be answered at once.
/// </summary>
internal sealed class CheckRun : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly UdpSipChannel _channel;
    private readonly ClientTransactions _transactions;
    private readonly ConcurrentDictionary<string, CheckedSession> _byCallId = new(StringComparer.Ordinal);
    private readonly List<CheckedSession> _sessions = [];
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Task _receiving;

    /// <param name="sessions">1 or more.</param>
    /// <param name="first">A number that no stream of the run has, nor those after it.</param>
    public CheckRun(IPEndPoint server, int sessions, int first)
    {
        _channel = new(new(UdpSipChannel.RouteTo(server), 0));
        _transactions = new(_channel, (request, from) => _byCallId.GetValueOrDefault(request.CallId)?.Answer(request, from), static (_, _) => { });
        _receiving = _transactions.RunAsync(_lifetime.Token);
        for (var i = 0; i < sessions; i++)
        {
            var session = new CheckedSession(_transactions, server, first + i);
            _sessions.Add(session);
            _byCallId[session.CallId] = session;
        }
    }

    /// <summary>Sets the sessions up.</summary>
    /// <exception cref="InvalidDataException">The recorder did not take one, or answered without ICE.</exception>
    public async Task SetUpAsync(CancellationToken stop)
    {
        foreach (var session in _sessions)
        {
            if (await session.SetUpAsync(stop) is { } problem) throw new InvalidDataException(problem);
        }
    }

    /// <summary>Sends until it is told to end, on a thread of its own; then ends the sessions.</summary>
    public async Task<ChecksReport> RunAsync(CancellationToken end, CancellationToken stop)
    {
        await Task.Factory.StartNew(() => Run(end), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAll(_sessions.Select(session => session.HangUpAsync(stop)));
        var milliseconds = _sessions.SelectMany(session => session.Milliseconds).ToList();
        return new(_sessions.Sum(session => session.Sent), milliseconds.Count, Percentiles.Of(milliseconds));
    }

    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync();
        await _receiving;
        _lifetime.Dispose();
        _sessions.ForEach(session => session.Dispose());
        _channel.Dispose();
    }

    private void Run(CancellationToken end)
    {
        for (var turn = 0; !end.IsCancellationRequested; turn++)
        {
            _sessions[turn % _sessions.Count].Check();
            Thread.Sleep(Pace);
            _sessions.ForEach(session => session.Receive());
        }

        Thread.Sleep(Patience);
        _sessions.ForEach(session => session.Receive());
    }
}
