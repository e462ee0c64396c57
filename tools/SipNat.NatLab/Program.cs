using System.CommandLine;
using SipNat.NatLab.Commands;
using SipNat.NatLab.Processes;

var root = new RootCommand("A laboratory of real kernel NAT in network namespaces. Needs Linux, root, iproute2, nftables, conntrack.")
{
    UpCommand.Create(),
    DownCommand.Create(),
    ExecCommand.Create(),
    StatusCommand.Create(),
    SimulateCommand.Create(),
    SimulateAccountsCommand.Create(),
    AccountsCommand.Create(),
    RepeatCommand.Create(),
    MatrixCommand.Create(),
    MediaCommand.Create(),
    AudioCommand.Create(),
    CallsCommand.Create(),
    IceCommand.Create(),
    IceCompareCommand.Create(),
};

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
    await Console.Error.WriteLineAsync("Try --help.");
    return 2;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    return 130;
}
catch (LabException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 3;
}
