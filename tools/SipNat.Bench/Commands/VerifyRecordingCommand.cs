using System.CommandLine;
using SipNat.Bench.Verification;

namespace SipNat.Bench.Commands;

/// <summary><c>verify-recording</c>: holds recorded files against what the client sent.</summary>
internal static class VerifyRecordingCommand
{
    private static readonly Option<string> Sent = new("--sent") { Description = "the folder that siprec-client --sent-dir wrote", Required = true };
    private static readonly Option<string[]> Wav = new("--wav") { Description = "recorded file of the next stream (repeatable, in the order of the streams); one stereo file holds two", Required = true, AllowMultipleArgumentsPerToken = true };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("verify-recording", "Compares recordings with the audio that was sent, sample by sample.") { Sent, Wav, Json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var streams = SentAudio.ReadAll(parsed.GetValue(Sent)!);
        var channels = RecordedAudio.ReadAll(parsed.GetValue(Wav)!);
        if (channels.Count != streams.Count) throw new InvalidDataException($"{streams.Count} streams were sent, the files hold {channels.Count} channels.");

        var results = streams.Zip(channels, RecordingComparison.Compare).ToList();
        if (parsed.GetValue(Json)) Console.Out.WriteLine(ComparisonResult.ToJson(results));
        else results.ForEach(result => Console.Out.WriteLine(result));

        return results.All(result => result.IsExact) ? 0 : CommandRunner.Negative;
    }
}
