using SipNat.Endpoint.Calls;

namespace SipNat.Server.Commands;

/// <summary>Says what became of a call, and with which exit code.</summary>
internal static class CallResults
{
    public static async Task<int> PrintAsync(CommandContext context, CallRun run, CancellationToken stop)
    {
        var report = CallJson.Report(run.Last, run.Problem, run.Host.ToWall);
        if (context.Json) CallJson.Print(context.Output, report);
        else CallText.Print(context.Output, report, run.Last);
        await context.Output.FlushAsync(CancellationToken.None);
        if (run.Last is not { AnsweredAt: not null } call)
        {
            if (stop.IsCancellationRequested) return ExitCodes.Interrupted;
            return run.Last?.Failure is null or CallFailure.Unreachable or CallFailure.NoResponse or CallFailure.NotLocated ? ExitCodes.Unreachable : ExitCodes.Negative;
        }

        if (stop.IsCancellationRequested) return ExitCodes.Interrupted;
        return CallVerdict.Of(call).IsGood && call.Failure is null ? ExitCodes.Done : ExitCodes.Negative;
    }
}
