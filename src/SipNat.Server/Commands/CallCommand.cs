using System.CommandLine;
using SipNat.Endpoint.Calls;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary><c>call</c>: places a call, plays and records audio, and ends with the path taken and a verdict per direction.</summary>
internal static class CallCommand
{
    public static Command Create()
    {
        var command = new Command("call", "Places a call, plays and records audio, and says what became of it; exit code 1 where the call failed or a direction has no audio")
        {
            CallArguments.Target, CallArguments.Account, CallArguments.Play, CallArguments.Record, CallArguments.Duration, CallArguments.Dtmf, CallArguments.Echo, TraceArgument.Trace,
        };
        command.SetRun(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken stop)
    {
        var account = CallArguments.AccountOf(context);
        var target = CallArguments.TargetOf(context.Arguments.GetValue(CallArguments.Target)!, account);
        await using var run = new CallRun(context, account, CallSources.Of(context));
        var request = new CallRequest { Target = target, Account = account?.Name, Terms = CallOptions.TermsOf(context.Options, account, run.Recording) };
        if (await run.RegisterAsync(stop))
        {
            run.Host.Post((now, core) => core.PlaceCall(now, request));
            await run.FollowAsync(stop);
        }

        return await CallResults.PrintAsync(context, run, stop);
    }
}
