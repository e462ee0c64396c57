using System.CommandLine;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Commands;

/// <summary><c>audio</c>: the signal that calls of the laboratory carry, and what has become of it.</summary>
internal static class AudioCommand
{
    private const int MaxSeconds = 600;
    private const int NoMatch = 1;

    private static readonly Argument<FileInfo> File = new("file") { Description = "a WAV file of 16-bit samples" };
    private static readonly Option<int> Seed = new("--seed") { Description = "which signal", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Rate = new("--rate") { Description = "samples per second", DefaultValueFactory = _ => 8000 };
    private static readonly Option<int> Seconds = new("--seconds") { Description = "length of the signal", DefaultValueFactory = _ => 20 };
    private static readonly Option<int> Channel = new("--channel") { Description = "which channel of the file, from 0", DefaultValueFactory = _ => 0 };

    public static Command Create()
    {
        var make = new Command("make", "Writes a signal.") { File, Seed, Rate, Seconds };
        make.SetAction(parsed => WaveFile.Write(parsed.GetValue(File)!.FullName, parsed.GetValue(Rate), new SpeechSignal(parsed.GetValue(Seed)).Samples(parsed.GetValue(Rate), Length(parsed))));
        var compare = new Command("compare", "Looks for the signal in a recording and tells offset, cuts and signal-to-noise ratio. Exit code 1: there is none of it.") { File, Seed, Seconds, Channel };
        compare.SetAction(Compare);
        Seconds.Validators.Add(result =>
        {
            if (result.GetValue(Seconds) is < 1 or > MaxSeconds) result.AddError($"--seconds {result.GetValue(Seconds)}: wanted 1 to {MaxSeconds}.");
        });
        Rate.Validators.Add(result =>
        {
            if (result.GetValue(Rate) is < 8000 or > 48_000) result.AddError($"--rate {result.GetValue(Rate)}: wanted 8000 to 48000.");
        });
        return new("audio", "Speech-like signals, and what has become of one in a recording.") { make, compare };
    }

    private static TimeSpan Length(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetValue(Seconds));

    private static int Compare(ParseResult parsed)
    {
        var file = parsed.GetValue(File)!;
        if (!file.Exists) throw new LabException($"{file.FullName} is not there.");

        var heard = WaveFile.Read(file.FullName);
        if (parsed.GetValue(Channel) is var channel && (channel < 0 || channel >= heard.Channels.Count)) throw new LabException($"{file.FullName} has {heard.Channels.Count} channels.");

        var found = AudioComparison.Of(new SpeechSignal(parsed.GetValue(Seed)).Samples(heard.Rate, Length(parsed)), heard.Channels[channel], heard.Rate);
        Console.WriteLine(found);
        return found.First is null ? NoMatch : 0;
    }
}
