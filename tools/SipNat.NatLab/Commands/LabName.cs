using System.CommandLine;

namespace SipNat.NatLab.Commands;

/// <summary>The option that every command shares: which laboratory is meant.</summary>
internal static class LabName
{
    // Room for "-hostA" and the like in the names that `ip netns list` shows in a table.
    private const int LongestName = 12;

    public static Option<string> Create()
    {
        var option = new Option<string>("--name") { Description = "name of the laboratory, prefix of its namespaces", DefaultValueFactory = _ => "natlab" };
        option.Validators.Add(result =>
        {
            var name = result.Tokens.Count == 1 ? result.Tokens[0].Value : "natlab";
            if (name.Length is 0 or > LongestName || !name.All(char.IsAsciiLetterOrDigit)) result.AddError($"--name '{name}': wanted 1 to {LongestName} letters and digits.");
        });
        return option;
    }
}
