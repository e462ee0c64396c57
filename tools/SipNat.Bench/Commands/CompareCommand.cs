using System.CommandLine;
using System.Net;
using System.Text.Json;
using SipNat.Bench.Compare;

namespace SipNat.Bench.Commands;

/// <summary><c>compare</c>: the recorder beside other programs; and <c>plain-receiver</c>, which is one of them.</summary>
internal static class CompareCommand
{
    private const int MaxStreams = 6_000;

    private static readonly Option<int> Streams = new("--streams") { Description = "streams of 50 packets a second; even", DefaultValueFactory = _ => 4_000 };
    private static readonly Option<TimeSpan?> Seconds = new("--seconds") { Description = "how long each run is measured; default 20", CustomParser = ValueParsers.Seconds };
    private static readonly Option<int> Runs = new("--runs") { Description = "how often each program is run", DefaultValueFactory = _ => 3 };
    private static readonly Option<int?> Core = new("--core") { Description = "the core that the measured program is held to; keep this one off it with taskset" };
    private static readonly Option<bool> AllIn = new("--all-in") { Description = "the kernel's work of receiving is done on the core of the measured program, too; takes root and --core" };
    private static readonly Option<bool> InNamespace = new("--in-namespace") { Hidden = true };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    private static readonly Argument<PlainReceiving> How = new("how");
    private static readonly Argument<IPAddress> Address = new("address") { CustomParser = result => IPAddress.Parse(result.Tokens[0].Value) };
    private static readonly Argument<int> FirstPort = new("first-port");
    private static readonly Argument<int> Count = new("streams");
    private static readonly Argument<string> Folder = new("folder");

    public static Command Create()
    {
        var command = new Command("compare", "Measures what a packet costs the recorder, a C program that does the least, tcpdump, rtpengine, and receivers as .NET programs usually are.")
        {
            Streams, Seconds, Runs, Core, AllIn, InNamespace, Json,
        };
        Streams.Validators.Add(result =>
        {
            if (result.GetValue(Streams) is var streams && (streams is < 2 or > MaxStreams || streams % 2 != 0)) result.AddError($"--streams: wanted an even number of 2 to {MaxStreams}.");
        });
        Runs.Validators.Add(result =>
        {
            if (result.GetValue(Runs) is < 1 or > 20) result.AddError("--runs: wanted 1 to 20.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetValue(AllIn) && result.GetValue(Core) is null) result.AddError("--all-in: wanted with --core.");
        });
        command.SetAction(CompareAsync);
        return command;
    }

    /// <summary>Receives until its input ends.</summary>
    public static Command CreatePlainReceiver()
    {
        var command = new Command("plain-receiver", "Receives RTP as .NET programs usually do, for compare.") { How, Address, FirstPort, Count, Folder };
        command.Hidden = true;
        command.SetAction(async (parsed, stop) =>
        {
            using var receiver = new PlainReceiver(parsed.GetValue(How), parsed.GetValue(Address)!, parsed.GetValue(FirstPort), parsed.GetValue(Count), parsed.GetValue(Folder)!);
            receiver.Start();
            Console.Out.WriteLine("ready");
            await Console.In.ReadToEndAsync(stop);
            Console.Out.WriteLine(JsonSerializer.Serialize(new Dictionary<string, long> { ["received"] = receiver.Received }));
            return 0;
        });
        return command;
    }

    private static async Task<int> CompareAsync(ParseResult parsed, CancellationToken stop)
    {
        var isInNamespace = parsed.GetValue(InNamespace);
        if (!isInNamespace && await NetworkNamespace.IsPossibleAsync(stop))
        {
            return await NetworkNamespace.RunSelfAsync([.. Environment.GetCommandLineArgs().Skip(1), InNamespace.Name], parsed.GetValue(AllIn) ? parsed.GetValue(Core) : null, stop);
        }

        if (parsed.GetValue(AllIn) && !isInNamespace) throw new InvalidDataException("--all-in: wanted root on Linux, with unshare and ip.");

        var options = new CompareOptions(
            parsed.GetValue(Streams), parsed.GetValue(Seconds) ?? TimeSpan.FromSeconds(20), parsed.GetValue(Runs), parsed.GetValue(Core), parsed.GetValue(AllIn), isInNamespace);
        var report = await new CompareRun(options, Console.Error).RunAsync(stop);
        if (parsed.GetValue(Json)) Console.Out.WriteLine(report.ToJson());
        else CompareText.Write(Console.Out, report);
        return 0;
    }
}
