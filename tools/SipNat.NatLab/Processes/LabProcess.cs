using System.Diagnostics;
using System.Text;

namespace SipNat.NatLab.Processes;

/// <summary>
/// A process inside a namespace, the first of a session of its own. Its output is kept; disposing ends it and what it
/// started, and waits for its end.
/// </summary>
public sealed class LabProcess : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    // In a group of its own, so that what it leaves behind can be named; and with SIGINT as a terminal has it: a shell
    // without job control has background processes ignore it, and what they start inherits that.
    private static readonly string[] Launch = ["env", "--default-signal=INT"];

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly string _command;
    private int _disposed;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LabProcess(Process process, string command) => (_process, _command) = (process, command);

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Standard output so far.</summary>
    public string Output
    {
        get
        {
            lock (_gate) return _output.ToString();
        }
    }

    /// <summary>Standard error so far.</summary>
    public string Error
    {
        get
        {
            lock (_gate) return _error.ToString();
        }
    }

    public static LabProcess Start(string file, IEnumerable<string> arguments, string? workingDirectory = null)
    {
        var start = new ProcessStartInfo("setsid", [.. Launch, file, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        var process = new Process { StartInfo = start };
        var started = new LabProcess(process, string.Join(' ', start.ArgumentList.Skip(Launch.Length)));
        process.OutputDataReceived += (_, line) => started.Append(started._output, line.Data);
        process.ErrorDataReceived += (_, line) => started.Append(started._error, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Waits until standard output or standard error holds the text.</summary>
    /// <exception cref="LabException">The process ended or the time was up before.</exception>
    public async Task WaitForTextAsync(string text, TimeSpan limit, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            Task changed;
            lock (_gate) changed = _changed.Task;
            var ended = _process.HasExited;
            if (Output.Contains(text, StringComparison.Ordinal) || Error.Contains(text, StringComparison.Ordinal)) return;
            if (ended) throw Failure($"ended before it said '{text}'");
            if (clock.Elapsed > limit) throw Failure($"did not say '{text}' within {limit.TotalSeconds:F0} s");

            await Task.WhenAny(changed, Task.Delay(TimeSpan.FromMilliseconds(200), stop));
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Waits for the end and gives the exit code; the output is complete then.</summary>
    /// <exception cref="LabException">It did not end in time.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan limit, CancellationToken stop)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(time.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Failure($"did not end within {limit.TotalSeconds:F0} s");
        }
    }

    /// <summary>Asks the process to end as SIGTERM does.</summary>
    public void Terminate() => Signal(Native.Terminate);

    /// <summary>Asks the process to end as Ctrl-C does.</summary>
    public void Interrupt() => Signal(Native.Interrupt);

    /// <summary>Ends the process at once.</summary>
    public void Kill() => Signal(Native.Kill);

    /// <summary>An exception that names the command and holds what it printed.</summary>
    public LabException Failure(string what) => new($"{_command} {what}.\n--- standard error\n{Error}\n--- standard output\n{Output}");

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;

        Terminate();
        if (!await EndsWithinGraceAsync())
        {
            _ = Native.Signal(-_process.Id, Native.Kill);
            await EndsWithinGraceAsync();
        }

        _process.Dispose();
    }

    // Its output ends with the last process that holds it, which may be one that it started and did not wait for.
    private async Task<bool> EndsWithinGraceAsync()
    {
        using var grace = new CancellationTokenSource(Grace);
        try
        {
            await _process.WaitForExitAsync(grace.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited) _ = Native.Signal(_process.Id, signal);
    }

    private void Append(StringBuilder text, string? line)
    {
        if (line is null) return;

        TaskCompletionSource changed;
        lock (_gate)
        {
            text.AppendLine(line);
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}
