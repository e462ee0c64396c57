using System.CommandLine;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary><c>answer</c>: waits for one call and answers it.</summary>
internal static class AnswerCommand
{
    public static Command Create()
    {
        var command = new Command("answer", "Waits for one call and answers it, plays and records audio or echoes it, and says what became of it; exit code 1 where a direction has no audio")
        {
            CallArguments.Account, CallArguments.Play, CallArguments.Record, CallArguments.Duration, CallArguments.Dtmf, CallArguments.Echo, TraceArgument.Trace,
        };
        command.SetRun(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken stop)
    {
        var account = CallArguments.AccountOf(context);
        await using var run = new CallRun(context, account, CallSources.Of(context)) { Accepts = static _ => true };
        if (await run.RegisterAsync(stop))
        {
            if (account is null) run.Host.AcceptDirectCalls(CallOptions.TermsOf(context.Options, null, run.Recording), EndpointOptions.AllowedNetworks(context.Options));
            // A program that reads the JSON has to know when it may call.
            context.Error.WriteLine(account is null ? $"waits for a call at {string.Join(", ", run.Host.Bound.Select(l => l.Address))}" : $"waits for a call to {account.Uri}");
            await run.FollowAsync(stop);
        }

        return await CallResults.PrintAsync(context, run, stop);
    }
}
