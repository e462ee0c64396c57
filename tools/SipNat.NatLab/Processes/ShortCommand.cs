using System.Diagnostics;

namespace SipNat.NatLab.Processes;

/// <summary>Runs a command that ends by itself and gives what it printed.</summary>
public static class ShortCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <exception cref="LabException">It ended with another code than 0, or not within 20 s.</exception>
    public static async Task<string> RunAsync(string file, IEnumerable<string> arguments, string? input = null, CancellationToken stop = default)
    {
        var result = await TryRunAsync(file, arguments, input, stop);
        return result.ExitCode == 0 ? result.Output : throw new LabException($"{result.Command} ended with {result.ExitCode}: {result.Error.Trim()}");
    }

    /// <inheritdoc cref="RunAsync"/>
    public static async Task<CommandResult> TryRunAsync(string file, IEnumerable<string> arguments, string? input = null, CancellationToken stop = default)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var command = $"{file} {string.Join(' ', start.ArgumentList)}";
        using var process = Process.Start(start) ?? throw new LabException($"{command} did not start.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new(command, process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            process.Kill();
            throw new LabException($"{command} did not end within {Limit.TotalSeconds:F0} s.");
        }
    }
}

/// <summary>How a command ended.</summary>
public sealed record CommandResult(string Command, int ExitCode, string Output, string Error);
