using System.CommandLine;
using System.Diagnostics;

namespace SipNat.NatLab.Commands;

/// <summary><c>exec</c>: runs a program on a host of the laboratory, with this terminal.</summary>
internal static class ExecCommand
{
    private static readonly Option<string> Name = LabName.Create();
    private static readonly Argument<string> Host = new("host") { Description = "srv, hostA, hostB, nearB, natA, natB or inet" };
    private static readonly Argument<string[]> Program = new("command") { Description = "the program and its arguments, after --", Arity = ArgumentArity.OneOrMore };

    public static Command Create()
    {
        var command = new Command("exec", "Runs a program on a host: exec hostA -- ping -c1 203.0.113.1") { Name, Host, Program };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var networkNamespace = $"{parsed.GetValue(Name)}-{parsed.GetValue(Host)}";
        if (!(await LabNetwork.ListNamespacesAsync(parsed.GetValue(Name)!)).Contains(networkNamespace, StringComparer.Ordinal))
        {
            await Console.Error.WriteLineAsync($"There is no host {parsed.GetValue(Host)} in a laboratory named {parsed.GetValue(Name)}; see: status");
            return 2;
        }

        using var process = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", networkNamespace, .. parsed.GetValue(Program)!]) { UseShellExecute = false })!;
        await process.WaitForExitAsync(stop);
        return process.ExitCode;
    }
}
