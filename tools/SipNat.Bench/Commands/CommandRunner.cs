using System.CommandLine;
using System.Net.Sockets;

namespace SipNat.Bench.Commands;

/// <summary>Runs a command line: 0 done, 1 the answer is negative, 2 wrong usage, 3 unreachable, 130 interrupted.</summary>
public static class CommandRunner
{
    public const int Negative = 1;
    public const int Usage = 2;
    public const int Unreachable = 3;
    public const int Interrupted = 130;

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync("Try --help.");
            return Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return Usage;
        }
        catch (Exception error) when (error is SocketException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync($"Network: {error.Message}");
            return Unreachable;
        }
    }
}
