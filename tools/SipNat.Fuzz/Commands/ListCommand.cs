using System.CommandLine;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary><c>list</c>: the targets and what each of them holds for true.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var command = new Command("list", "Lists the targets.");
        command.SetAction(_ =>
        {
            foreach (var target in FuzzTargets.All) Console.Out.WriteLine($"{target.Name,-18} {target.Promise}");
        });
        return command;
    }
}
