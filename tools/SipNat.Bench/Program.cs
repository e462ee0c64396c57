using System.CommandLine;
using SipNat.Bench.Commands;

var root = new RootCommand("Peers and measurements for a SIPREC recorder. Shares no code with it.")
{
    SiprecClientCommand.Create(),
    VerifyRecordingCommand.Create(),
    LoadCommand.Create(),
};

return await CommandRunner.RunAsync(root, args);
