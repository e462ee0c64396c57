using System.CommandLine;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary><c>serve</c>: runs what is configured until Ctrl-C or SIGTERM, then drains.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Runs the recording server; Ctrl-C lets running sessions finish, a second one ends at once")
        {
            TraceArgument.Trace,
        };
        command.SetRun(async (context, drain) =>
        {
            await RecorderHost.RunAsync(context.Options, context.Logs, ready => PrintReady(context, ready), context.Arguments.GetValue(TraceArgument.Trace), drain);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void PrintReady(CommandContext context, RecorderReady ready)
    {
        var listeners = ready.Listeners.Select(listener => listener.ToString()).ToList();
        if (context.Json) CommandJson.PrintReady(context.Output, listeners, ready.Http);
        else context.Output.WriteLine($"ready {string.Join(' ', listeners)} {ready.Http}");
        context.Output.Flush();
    }
}
