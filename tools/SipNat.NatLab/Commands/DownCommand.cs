using System.CommandLine;

namespace SipNat.NatLab.Commands;

/// <summary><c>down</c>: ends what runs in a laboratory and removes it.</summary>
internal static class DownCommand
{
    private static readonly Option<string> Name = LabName.Create();

    public static Command Create()
    {
        var command = new Command("down", "Ends every process in the laboratory and removes its namespaces.") { Name };
        command.SetAction(async (parsed, _) =>
        {
            var removed = await LabNetwork.ListNamespacesAsync(parsed.GetValue(Name)!);
            foreach (var networkNamespace in removed) await LabNetwork.RemoveNamespaceAsync(networkNamespace);
            Console.Out.WriteLine(removed.Count == 0 ? "Nothing was up." : $"Removed {string.Join(", ", removed)}.");
            return 0;
        });
        return command;
    }
}
