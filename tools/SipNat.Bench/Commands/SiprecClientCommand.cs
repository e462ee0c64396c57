using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Sockets;
using SipNat.Bench.Audio;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Commands;

/// <summary><c>siprec-client</c>: one recording session against a recorder.</summary>
internal static class SiprecClientCommand
{
    private static readonly Option<IPEndPoint?> Server = new("--server") { Description = "the recorder's address, IP:PORT", Required = true, CustomParser = ValueParsers.EndPoint };
    private static readonly Option<SipTransport> Transport = new("--transport") { Description = "what carries SIP" };
    private static readonly Option<IPAddress?> Local = new("--local") { Description = "local address; default: the one that routes to the server", CustomParser = ValueParsers.Address };
    private static readonly Option<int> SipPort = new("--sip-port") { Description = "local SIP port; 0 takes a free one" };
    private static readonly Option<int> RtpPort = new("--rtp-port") { Description = "first local RTP port, even; 0 takes free ones" };
    private static readonly Option<IPAddress?> Advertise = new("--advertise") { Description = "address to name in Via, Contact and SDP", CustomParser = ValueParsers.Address };
    private static readonly Option<bool> PrivateContact = new("--private-contact") { Description = "keep the local address in Via and Contact in spite of --advertise" };
    private static readonly Option<int> Streams = new("--streams") { Description = "labelled audio streams, 1 to 16", DefaultValueFactory = _ => 2 };
    private static readonly Option<TimeSpan?> Seconds = new("--seconds") { Description = "length of the audio; default 10, or the longest --play file", CustomParser = ValueParsers.Seconds };
    private static readonly Option<G711Variant> Codec = new("--codec") { Description = "pcmu or pcma" };
    private static readonly Option<string[]> Play = new("--play") { Description = "8 kHz mono WAV for the next stream (repeatable); default: tones with seeded noise" };
    private static readonly Option<int> Seed = new("--seed") { Description = "seed of generated sound, SSRCs and timestamps", DefaultValueFactory = _ => 1 };
    private static readonly Option<TimeSpan?> HoldAt = new("--hold-at") { Description = "second at which the session is held", CustomParser = ValueParsers.Seconds };
    private static readonly Option<bool> StartInactive = new("--start-inactive") { Description = "offer the streams inactive at first; --resume-at starts the audio" };
    private static readonly Option<TimeSpan?> ResumeAt = new("--resume-at") { Description = "second at which it resumes", CustomParser = ValueParsers.Seconds };
    private static readonly Option<TimeSpan?> MoveAt = new("--move-at") { Description = "second at which all streams move to other ports by re-INVITE", CustomParser = ValueParsers.Seconds };
    private static readonly Option<TimeSpan?> Keepalive = new("--keepalive") { Description = "seconds between CRLF keepalives on the SIP flow, or none; default 20", CustomParser = ValueParsers.SecondsOrNone };
    private static readonly Option<bool> NoRtcp = new("--no-rtcp") { Description = "send no RTCP" };
    private static readonly Option<TimeSpan?> WaitBye = new("--wait-bye") { Description = "after the audio wait this many seconds (default 120) for the recorder's BYE", CustomParser = ParseWait, Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<TimeSpan?> SessionExpires = new("--session-expires") { Description = "ask for a session timer of this many seconds, refreshed by the recorder", CustomParser = ValueParsers.Seconds };
    private static readonly Option<TimeSpan?> AnswerTimeout = new("--answer-timeout") { Description = "seconds to wait for an answer to INVITE; default 32", CustomParser = ValueParsers.Seconds };
    private static readonly Option<string?> CallId = new("--call-id") { Description = "Call-ID of the recording dialog" };
    private static readonly Option<string?> SentDirectory = new("--sent-dir") { Description = "folder for the exact payload sent, to be held against the recording" };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("siprec-client", "Runs one SIPREC recording session: INVITE with metadata, labelled streams, BYE.")
        {
            Server, Transport, Local, SipPort, RtpPort, Advertise, PrivateContact, Streams, Seconds, Codec, Play, Seed, HoldAt, StartInactive, ResumeAt,
            MoveAt, Keepalive, NoRtcp, WaitBye, SessionExpires, AnswerTimeout, CallId, SentDirectory, Json,
        };
        Streams.Validators.Add(result => Require(result, result.GetValue(Streams) is >= 1 and <= 16, "wanted 1 to 16"));
        RtpPort.Validators.Add(result => Require(result, result.GetValue(RtpPort) is >= 0 and <= 65_500 && result.GetValue(RtpPort) % 2 == 0, "RTP takes an even port (RFC 3550 §11)"));
        ResumeAt.Validators.Add(result => Require(result, result.GetValue(StartInactive) || result.GetValue(HoldAt) < result.GetValue(ResumeAt), "it needs an earlier --hold-at, or --start-inactive"));
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        using var client = new SiprecClient(Options(parsed), Console.Error);
        SiprecClientReport report;
        try
        {
            report = await client.RunAsync(stop);
        }
        catch (SocketException error)
        {
            await Console.Error.WriteLineAsync($"{parsed.GetValue(Server)} cannot be reached over {parsed.GetValue(Transport)}: {error.Message}.");
            return CommandRunner.Unreachable;
        }

        if (parsed.GetValue(Json)) Console.Out.WriteLine(report.ToJson());
        else ReportText.Write(Console.Out, report);

        return report.Result switch
        {
            SiprecOutcome.Recorded when report.EndedBy is SessionEnd.None => CommandRunner.Negative,
            SiprecOutcome.Recorded => 0,
            SiprecOutcome.NoAnswer => CommandRunner.Unreachable,
            SiprecOutcome.Cancelled => CommandRunner.Interrupted,
            _ => CommandRunner.Negative,
        };
    }

    private static SiprecClientOptions Options(ParseResult parsed)
    {
        var keepalive = parsed.GetValue(Keepalive) ?? TimeSpan.FromSeconds(20);
        var play = parsed.GetValue(Play) ?? [];
        return new()
        {
            Server = parsed.GetValue(Server)!,
            Transport = parsed.GetValue(Transport),
            LocalAddress = parsed.GetValue(Local),
            SipPort = parsed.GetValue(SipPort),
            RtpPort = parsed.GetValue(RtpPort),
            AdvertisedAddress = parsed.GetValue(Advertise),
            PrivateContact = parsed.GetValue(PrivateContact),
            Streams = parsed.GetValue(Streams),
            Duration = parsed.GetValue(Seconds) ?? LongestFile(play) ?? TimeSpan.FromSeconds(10),
            Codec = parsed.GetValue(Codec),
            Play = play,
            Seed = parsed.GetValue(Seed),
            HoldAt = parsed.GetValue(HoldAt),
            StartInactive = parsed.GetValue(StartInactive),
            ResumeAt = parsed.GetValue(ResumeAt),
            MoveAt = parsed.GetValue(MoveAt),
            Keepalive = keepalive == TimeSpan.Zero ? null : keepalive,
            Rtcp = !parsed.GetValue(NoRtcp),
            WaitForBye = parsed.GetValue(WaitBye),
            SessionExpires = parsed.GetValue(SessionExpires),
            AnswerTimeout = parsed.GetValue(AnswerTimeout) ?? TimeSpan.FromSeconds(32),
            CallId = parsed.GetValue(CallId),
            SentDirectory = parsed.GetValue(SentDirectory),
        };
    }

    private static void Require(OptionResult result, bool holds, string wanted)
    {
        if (!holds) result.AddError($"{result.IdentifierToken?.Value} {result.Tokens.FirstOrDefault()?.Value}: {wanted}.");
    }

    private static TimeSpan? LongestFile(string[] files) =>
        files.Length == 0 ? null : files.Max(file => AudioSource.FromFile(G711Variant.Pcmu, file).Length);

    private static TimeSpan? ParseWait(ArgumentResult result) =>
        result.Tokens.Count == 0 ? TimeSpan.FromMinutes(2) : ValueParsers.Seconds(result);
}
