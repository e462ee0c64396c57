using System.CommandLine;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary><c>register</c>: registers an account, shows what the registrar saw, and unregisters.</summary>
internal static class RegisterCommand
{
    private const int MostSeconds = 86_400;

    /// <summary>How long it may take: a server that is dead, and the next one.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private static readonly Option<string?> Account = new("--account") { Description = "Which of the configured accounts, by its name [default: the only one]", HelpName = "NAME" };

    private static readonly Option<int> Duration = new("--duration")
    {
        Description = "How many seconds to stay registered; Ctrl-C ends it sooner",
        HelpName = "S",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<int>() is < 0 or > MostSeconds) result.AddError($"--duration must be 0 to {MostSeconds} seconds.");
            },
        },
    };

    public static Command Create()
    {
        var command = new Command("register", "Registers an account, shows what the registrar saw, and removes the binding again; exit code 1 where the registrar refuses, 3 where none answers")
        {
            Account, Duration,
        };
        command.SetRun(RunAsync);
        return command;
    }

    /// <summary>The account that a command is for.</summary>
    /// <exception cref="ConfigurationException">There is none of that name, or several and no name.</exception>
    internal static AccountSettings Choose(IReadOnlyList<AccountSettings> accounts, string? name)
    {
        if (accounts.Count == 0) throw new ConfigurationException("There is no account: set Accounts:0:Uri and Accounts:0:Password.");

        var names = string.Join(", ", accounts.Select(account => account.Name));
        return name is null
            ? accounts.Count == 1 ? accounts[0] : throw new ConfigurationException($"There are several accounts: say which by --account; there are {names}.")
            : accounts.FirstOrDefault(account => account.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw new ConfigurationException($"There is no account '{name}'; there are {names}.");
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken stop)
    {
        var account = Choose(context.Options.Accounts, context.Arguments.GetValue(Account));
        var done = new TaskCompletionSource<AccountSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
        var last = new AccountSnapshot(account.Name, AccountState.Locating, default, "");
        await using var host = new EndpointHost(context.Options, context.Logs);
        await host.StartAsync(stop);
        host.Register(account, changed =>
        {
            last = changed;
            if (!context.Json) context.Error.WriteLine($"{changed.Name}: {SafeText.EscapeLines(changed.Text)}");
            if (IsKnown(changed)) done.TrySetResult(changed);
        });

        var result = await WaitAsync(done.Task, stop) ?? last;
        if (context.Json) RegisterJson.Print(context.Output, account, result);
        else RegisterText.Print(context.Output, account, result);
        await context.Output.FlushAsync(CancellationToken.None);
        if (result.State is not AccountState.Registered) return result.Status == 0 ? ExitCodes.Unreachable : ExitCodes.Negative;

        await StayAsync(TimeSpan.FromSeconds(context.Arguments.GetValue(Duration)), stop);
        await host.EndAsync();
        return stop.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Done;
    }

    private static bool IsKnown(AccountSnapshot account) =>
        account is { State: AccountState.Registered, IsSettled: true } or { State: AccountState.Refused or AccountState.Waiting };

    private static async Task<AccountSnapshot?> WaitAsync(Task<AccountSnapshot> known, CancellationToken stop)
    {
        try
        {
            return await known.WaitAsync(Limit, stop);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private static async Task StayAsync(TimeSpan duration, CancellationToken stop)
    {
        try
        {
            await Task.Delay(duration, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The binding is removed all the same.
            return;
        }
    }
}
