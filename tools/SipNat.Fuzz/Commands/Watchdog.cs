using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary>
/// Ends the program when one input does not come to an end. Nothing can stop a loop of code that never returns, so its
/// input is written and the process goes.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<FuzzLoop> _loops;
    private readonly FailureFiles _files;
    private readonly Timer _timer;

    public Watchdog(IReadOnlyList<FuzzLoop> loops, FailureFiles files)
    {
        (_loops, _files) = (loops, files);
        _timer = new(_ => Look(), null, Period, Period);
    }

    private void Look()
    {
        foreach (var loop in _loops)
        {
            if (loop.Current is not var (input, running) || running < Limit) continue;

            _files.Write(new(loop.Target, loop.Seed, 0, "Endless", $"Not done after {running.TotalSeconds:F0} s.", input));
            Environment.Exit(1);
        }
    }

    public void Dispose() => _timer.Dispose();
}
