using System.CommandLine;
using SipNat.Bench.Commands;

var root = new RootCommand("Peers and measurements for a SIPREC recorder.")
{
    SiprecClientCommand.Create(),
    VerifyRecordingCommand.Create(),
    LoadCommand.Create(),
    SoakCommand.Create(),
    GrowthCommand.Create(),
    CompareCommand.Create(),
    CompareCommand.CreatePlainReceiver(),
    MicroBenchmarks.CreateReaders(),
    MicroBenchmarks.CreateStages(),
    MicroBenchmarks.CreateSrtp(),
    MicroBenchmarks.CreateSimulation(),
};

return await CommandRunner.RunAsync(root, args);
