using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using SipNat.Bench.Load;

namespace SipNat.Bench.Commands;

/// <summary><c>load</c>: many recording sessions at once, compared frame by frame afterwards.</summary>
internal static class LoadCommand
{
    private const int MaxSessions = 10_000;
    private const int MaxFlood = 1_000_000;
    private const int MaxChecks = 100;

    private static readonly Option<IPEndPoint?> Server = new("--server") { Description = "a running recorder's SIP address, IP:PORT; without it one is started, and ended afterwards", CustomParser = ValueParsers.EndPoint };
    private static readonly Option<Uri> Api = new("--api") { Description = "the running recorder's API", DefaultValueFactory = _ => new("http://127.0.0.1:8080"), CustomParser = ValueParsers.Http };
    private static readonly Option<string?> Recordings = new("--recordings") { Description = "the running recorder's Recording:Directory, to compare the files; or an existing folder for one that is started, whose files stay there" };
    private static readonly Option<int?> ProcessId = new("--pid") { Description = "the running recorder's process on this machine, to read its CPU time and memory" };
    private static readonly Option<FileInfo> Program = new Option<FileInfo>("--program") { Description = "the sipnat.dll that is started, such as a published one; default: the one that is built here" }.AcceptExistingOnly();
    private static readonly Option<string[]> Settings = new("--set") { Description = "KEY=VALUE for the recorder that is started (repeatable)" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "keep the recordings and the log of the recorder that is started" };
    private static readonly Option<int> Sessions = new("--sessions") { Description = "sessions of two PCMU streams", DefaultValueFactory = _ => 100 };
    private static readonly Option<TimeSpan?> Seconds = new("--seconds") { Description = "length of each session's audio; default 60", CustomParser = ValueParsers.Seconds };
    private static readonly Option<double> Rate = new("--rate") { Description = "sessions set up a second", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> RtcpMux = new("--rtcp-mux") { Description = "offer that RTCP shares the port of RTP" };
    private static readonly Option<int> Primers = new("--prime") { Description = "sessions of a second that are run before anything is measured" };
    private static readonly Option<int?> Core = new("--core") { Description = "the core that the recorder which is started is held to; keep this program off it with taskset" };
    private static readonly Option<TimeSpan?> WarmUp = new("--warm-up") { Description = "seconds with every session up before CPU time is counted; default 0", CustomParser = ValueParsers.Seconds };
    private static readonly Option<TimeSpan?> KillAfter = new("--kill-after") { Description = "seconds with every session up before the recorder is killed and started again; then what is left is looked at", CustomParser = ValueParsers.Seconds };
    private static readonly Option<bool> Storm = new("--storm") { Description = "end all sessions at one time, when every stream has been sent" };
    private static readonly Option<int> Checks = new("--checks") { Description = "beside the sessions: others with ICE, whose media sockets get a hundred connectivity checks a second" };
    private static readonly Option<int> FloodInvites = new("--flood-invites") { Description = "beside the sessions: INVITEs a second that nobody acknowledges" };
    private static readonly Option<int> FloodOptions = new("--flood-options") { Description = "beside the sessions: OPTIONS a second" };
    private static readonly Option<int> FloodPackets = new("--flood-rtp") { Description = "beside the sessions: RTP packets a second, sprayed over --flood-ports" };
    private static readonly Option<(int First, int Last)> FloodPorts = new("--flood-ports") { Description = "the recorder's media ports, FIRST-LAST", DefaultValueFactory = _ => (10_000, 19_999), CustomParser = ParsePorts };
    private static readonly Option<IPAddress?> FloodFrom = new("--flood-from") { Description = "local address that the flood comes from; default 127.0.0.2", CustomParser = ValueParsers.Address };
    private static readonly Option<TimeSpan?> FloodSeconds = new("--flood-seconds") { Description = "how long the flood lasts, from when every session is up; default 30", CustomParser = ValueParsers.Seconds };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("load", "Runs many SIPREC sessions against a recorder and looks for every frame in its files.")
        {
            Server, Api, Recordings, ProcessId, Program, Settings, Keep, Sessions, Seconds, Rate, RtcpMux, Primers, Core, WarmUp, KillAfter, Storm, Checks,
            FloodInvites, FloodOptions, FloodPackets, FloodPorts, FloodFrom, FloodSeconds, Json,
        };
        Bound(Sessions, 1, MaxSessions);
        Bound(Primers, 0, MaxSessions);
        Bound(Checks, 0, MaxChecks);
        Bound(FloodInvites, 0, MaxFlood);
        Bound(FloodOptions, 0, MaxFlood);
        Bound(FloodPackets, 0, MaxFlood);
        Rate.Validators.Add(result =>
        {
            if (result.GetValue(Rate) is not (> 0 and <= 10_000)) result.AddError("--rate: wanted more than 0 and at most 10000 sessions a second.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetValue(Checks) > 0 && result.GetValue(KillAfter) is not null) result.AddError("--checks and --kill-after do not go together: a recorder that was killed answers none.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var report = await new LoadRun(Options(parsed), Console.Error).RunAsync(stop);
        if (parsed.GetValue(Json)) Console.Out.WriteLine(report.ToJson());
        else LoadText.Write(Console.Out, report);

        return report.IsWhole ? 0 : CommandRunner.Negative;
    }

    private static LoadOptions Options(ParseResult parsed)
    {
        var (first, last) = parsed.GetValue(FloodPorts);
        return new()
        {
            Server = parsed.GetValue(Server),
            Api = parsed.GetValue(Api)!,
            Recordings = parsed.GetValue(Recordings),
            ProcessId = parsed.GetValue(ProcessId),
            Program = parsed.GetValue(Program)?.FullName,
            Settings = parsed.GetValue(Settings) ?? [],
            Keep = parsed.GetValue(Keep),
            Sessions = parsed.GetValue(Sessions),
            Duration = parsed.GetValue(Seconds) ?? TimeSpan.FromSeconds(60),
            Rate = parsed.GetValue(Rate),
            RtcpMux = parsed.GetValue(RtcpMux),
            Primers = parsed.GetValue(Primers),
            Core = parsed.GetValue(Core),
            WarmUp = parsed.GetValue(WarmUp) ?? TimeSpan.Zero,
            KillAfter = parsed.GetValue(KillAfter),
            Storm = parsed.GetValue(Storm),
            Checks = parsed.GetValue(Checks),
            Flood = new()
            {
                InvitesPerSecond = parsed.GetValue(FloodInvites),
                OptionsPerSecond = parsed.GetValue(FloodOptions),
                PacketsPerSecond = parsed.GetValue(FloodPackets),
                FirstPort = first,
                LastPort = last,
                From = parsed.GetValue(FloodFrom) ?? IPAddress.Parse("127.0.0.2"),
                Duration = parsed.GetValue(FloodSeconds) ?? TimeSpan.FromSeconds(30),
            },
        };
    }

    private static void Bound(Option<int> option, int least, int most) => option.Validators.Add(result =>
    {
        if (result.GetValue(option) < least || result.GetValue(option) > most) result.AddError($"{option.Name}: wanted {least} to {most}.");
    });

    private static (int First, int Last) ParsePorts(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (text.Split('-') is [var first, var last] && ushort.TryParse(first, out var from) && ushort.TryParse(last, out var to) && from > 0 && from <= to) return (from, to);

        result.AddError($"--flood-ports '{text}' is not a range; wanted FIRST-LAST, for instance 10000-19999.");
        return default;
    }
}
