using System.Runtime.InteropServices;

namespace SipNat.Server.Hosting;

/// <summary>
/// Ctrl-C and SIGTERM. The first asks the program to end in good order; the second ends it at once with exit code 130.
/// </summary>
public sealed class ShutdownSignals : IDisposable
{
    public const int InterruptedExitCode = 130;

    private readonly CancellationTokenSource _requested = new();
    private readonly Action<int> _exit;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _signals;

    /// <param name="exit">Ends the process with an exit code.</param>
    public ShutdownSignals(Action<int> exit)
    {
        _exit = exit;
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Handle();
            }));
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Requested => _requested.Token;

    internal void Handle()
    {
        if (Interlocked.Increment(ref _signals) > 1)
        {
            _exit(InterruptedExitCode);
            return;
        }

        _requested.Cancel();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _requested.Dispose();
    }
}
