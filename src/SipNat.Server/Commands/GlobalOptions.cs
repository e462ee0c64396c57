using System.CommandLine;

namespace SipNat.Server.Commands;

/// <summary>The options that every command takes, before or after its name.</summary>
internal static class GlobalOptions
{
    public static Option<string?> Config { get; } = new("--config")
    {
        Description = "The configuration file [default: appsettings.json here, else beside the program]",
        HelpName = "FILE",
        Recursive = true,
    };

    public static Option<string[]> Set { get; } = new("--set")
    {
        Description = "A setting that wins over file and environment, such as Media:Dscp=0; repeatable",
        HelpName = "KEY=VALUE",
        Recursive = true,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON on standard output",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Log in detail",
        Recursive = true,
    };

    public static IEnumerable<Option> All => [Config, Set, Json, Verbose];
}
