using System.Diagnostics;

namespace SipNat.Bench.Compare;

/// <summary>The process of a program that is measured; it does not outlive its owner.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    // Where servers are, which the path of a user may lack.
    private static readonly string[] SystemFolders = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

    private readonly Process _process;
    private readonly Task<string> _error;

    private PeerProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public StreamReader Output => _process.StandardOutput;

    public StreamWriter Input => _process.StandardInput;

    public bool HasExited => _process.HasExited;

    /// <summary>The full path of a program.</summary>
    /// <exception cref="InvalidDataException">It is not installed.</exception>
    public static string Find(string program, string package)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(SystemFolders);
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidDataException($"{program} is not installed (Debian package {package}).");
    }

    /// <param name="core">The core that it is held to; null for all.</param>
    public static PeerProcess Start(int? core, IReadOnlyList<string> command)
    {
        // taskset becomes the program, which so has the id of this process.
        string[] pinned = core is { } one ? ["taskset", "-c", $"{one}", .. command] : [.. command];
        return new(Process.Start(new ProcessStartInfo(pinned[0], pinned.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);
    }

    /// <summary>Asks it to end by a signal, such as <c>INT</c>, waits for that, and gives what it said on standard error.</summary>
    public async Task<string> EndAsync(string signal = "TERM")
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
            using var limit = new CancellationTokenSource(EndLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        return await _error;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
