using System.CommandLine;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary><c>replay</c>: runs one file as it is.</summary>
internal static class ReplayCommand
{
    private static readonly Argument<string> Target = new("target") { Description = "the target that the file is for" };
    private static readonly Argument<FileInfo> Input = new("file") { Description = "a file that a run has written, or any other" };

    public static Command Create()
    {
        var command = new Command("replay", "Runs one input. Exit code 1: something does not hold.") { Target, Input };
        Input.AcceptExistingOnly();
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        if (RunCommand.Find(parsed.GetValue(Target)!) is not { } target) return 2;

        var loop = new FuzzLoop(target, new(AppContext.BaseDirectory), seed: 0);
        var failure = loop.Replay(File.ReadAllBytes(parsed.GetValue(Input)!.FullName));
        Console.Out.WriteLine(failure?.Text ?? "Everything holds.");
        return failure is null ? 0 : 1;
    }
}
