using System.CommandLine;
using System.Globalization;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Commands;

/// <summary><c>calls</c>: calls through a provider from behind every NAT, judged by what was heard.</summary>
internal static class CallsCommand
{
    private const int MaxJobs = 4;

    private static readonly Option<int> Jobs = new("--jobs") { Description = "laboratories at the same time", DefaultValueFactory = _ => 2 };
    private static readonly Option<string[]> Only = new("--only") { Description = "only cases whose name contains this, such as 'symmetric, strict' or 'tls, SRTP'; repeatable" };
    private static readonly Option<string> Client = new("--client") { Description = "who is tried: sipnat, or baresip, which shows what the laboratory does to another program", DefaultValueFactory = _ => "sipnat" };
    private static readonly Option<FileInfo> Write = new("--write") { Description = "write the page to this file too" };

    public static Command Create()
    {
        var command = new Command("calls", "Calls out and in from behind every NAT, over every transport, with and without SRTP. Exit code 1: a case differs from the prediction.") { Jobs, Only, Client, Write };
        Jobs.Validators.Add(result =>
        {
            if (result.GetValue(Jobs) is < 1 or > MaxJobs) result.AddError($"--jobs {result.GetValue(Jobs)}: wanted 1 to {MaxJobs}.");
        });
        Client.AcceptOnlyFromAmong("sipnat", "baresip");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var missing = await LabRequirements.CheckAsync(CallRunner.Programs);
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("A laboratory needs: " + string.Join("; ", missing));
            return 3;
        }

        var only = parsed.GetValue(Only) ?? [];
        List<CallCase> cases = [.. CallCase.All.Where(tried => only.Length == 0 || only.Any(text => $", {tried.Name},".Contains($", {text},", StringComparison.OrdinalIgnoreCase)))];
        if (cases.Count == 0)
        {
            await Console.Error.WriteLineAsync($"--only: no case has such a name; one is '{CallCase.All[0].Name}', and the NATs are {NatBehaviours.AllNames}.");
            return 2;
        }

        CallRunner.StartClient client = parsed.GetValue(Client) == "baresip" ? BaresipClient.StartAsync : SipNatClient.StartAsync;
        var outcomes = await new CallRunner(client).RunAsync(cases, parsed.GetValue(Jobs), outcome => Console.Error.WriteLine(CallText.Line(outcome)), stop);
        var page = CallText.Page(outcomes, parsed.GetValue(Client)!, string.Create(CultureInfo.InvariantCulture, $"on {Environment.ProcessorCount} shared cores, {parsed.GetValue(Jobs)} laboratories at a time"));
        Console.Out.Write(page);
        if (parsed.GetValue(Write) is { } file) await File.WriteAllTextAsync(file.FullName, page, stop);
        return outcomes.All(outcome => outcome.IsAsPredicted) ? 0 : 1;
    }
}
