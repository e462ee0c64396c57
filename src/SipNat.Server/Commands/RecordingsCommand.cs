using System.CommandLine;
using System.CommandLine.Parsing;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Server.Codecs;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary><c>recordings …</c>: works on the catalogue and the folder, also while <c>serve</c> runs.</summary>
internal static class RecordingsCommand
{
    public static Command Create() => new("recordings", "Works on what was recorded, also while 'serve' runs")
    {
        List(), Show(), Export(), Verify(), Reindex(), Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "Lists recordings, the newest first")
        {
            RecordingArguments.Since, RecordingArguments.Until, RecordingArguments.Party, RecordingArguments.Limit,
        };
        command.SetRun((context, _) =>
        {
            using var archive = Open(context);
            var recordings = archive.List(RecordingArguments.Filter(context.Arguments));
            if (context.Json) CommandJson.Print(context.Output, RecordingJson.WriteList(recordings));
            else RecordingTables.PrintList(context.Output, recordings);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Show()
    {
        var id = RecordingArguments.Id();
        var command = new Command("show", "Shows one recording with its metadata and timeline") { id };
        command.SetRun((context, _) =>
        {
            using var archive = Open(context);
            if (archive.Find(context.Arguments.GetRequiredValue(id)) is not { } recording) return NoSuch(context, context.Arguments.GetRequiredValue(id));

            if (context.Json) CommandJson.Print(context.Output, RecordingJson.Write(recording));
            else RecordingTables.PrintOne(context.Output, recording);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Export()
    {
        var id = RecordingArguments.Id();
        var output = new Option<string?>("--output") { Description = "The WAV file to write [default: ID.wav here]", HelpName = "FILE" };
        var stream = new Option<string?>("--stream") { Description = "One stream alone: its label, or its number from 1", HelpName = "LABEL" };
        var format = new Option<ExportFormat>("--format")
        {
            Description = "stereo: first stream left, second right; channels: one channel each; streams: one file each",
            HelpName = "stereo|channels|streams",
            CustomParser = ParseFormat,
        };
        var force = new Option<bool>("--force") { Description = "Replace the file where it exists" };
        var command = new Command("export", "Writes the audio as 16-bit PCM, every stream at its place in the session") { id, output, stream, format, force };
        command.SetRun((context, stop) =>
        {
            var recording = context.Arguments.GetRequiredValue(id);
            using var archive = Open(context);
            if (archive.Find(recording) is null) return NoSuch(context, context.Arguments.GetRequiredValue(id));

            var options = new ExportOptions
            {
                Codecs = NativeCodecs.Registry,
                Format = context.Arguments.GetValue(format),
                Stream = context.Arguments.GetValue(stream),
                Force = context.Arguments.GetValue(force),
            };
            return Refusable(context, () =>
            {
                var result = archive.Export(recording, context.Arguments.GetValue(output) ?? $"{recording}.wav", options, stop);
                if (context.Json) CommandJson.Print(context.Output, result);
                else RecordingTables.PrintExport(context.Output, options.Stream is null ? result : result with { OmittedStreams = 0 });
            });
        });
        return command;
    }

    private static Command Verify()
    {
        var command = new Command("verify", "Holds files, documents and catalogue against each other; exit code 1 where something is wrong");
        command.SetRun((context, _) =>
        {
            using var archive = Open(context);
            var problems = archive.Verify().ToList();
            if (context.Json) CommandJson.Print(context.Output, problems);
            else RecordingTables.PrintProblems(context.Output, problems, "Nothing is wrong.");
            return problems.Count == 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static Command Reindex()
    {
        var command = new Command("reindex", "Builds the catalogue anew from the folders; exit code 1 where one could not be read");
        command.SetRun((context, stop) =>
        {
            using var archive = Open(context);
            var result = archive.Reindex(cancellationToken: stop);
            if (context.Json) CommandJson.Print(context.Output, result);
            else RecordingTables.PrintReindex(context.Output, result);
            return result.ProblemCount == 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static Command Delete()
    {
        var ids = RecordingArguments.Ids();
        var command = new Command("delete", "Deletes recordings with all their files") { ids };
        command.SetRun((context, _) =>
        {
            var recordings = context.Arguments.GetRequiredValue(ids).Distinct(StringComparer.Ordinal).ToList();
            using var archive = Open(context);

            // A slip of the pen in one of them may be one in all.
            if (recordings.Find(recording => archive.Catalogue.Find(recording) is null) is { } unknown) return NoSuch(context, unknown);

            return Refusable(context, () =>
            {
                foreach (var recording in recordings)
                {
                    archive.Delete(recording);
                    if (context.Json) CommandJson.PrintDeleted(context.Output, recording);
                    else context.Output.WriteLine($"{recording} is deleted.");
                }
            });
        });
        return command;
    }

    private static ExportFormat ParseFormat(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        foreach (var format in Enum.GetValues<ExportFormat>())
        {
            if (format.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return format;
        }

        result.AddError($"--format '{text}' is none; there are stereo, channels and streams.");
        return default;
    }

    private static RecordingArchive Open(CommandContext context) =>
        RecordingArchive.Open(context.Options.Recording.Directory, context.Options.Recording.Database);

    private static int NoSuch(CommandContext context, string id)
    {
        context.Error.WriteLine($"There is no recording '{SafeText.Escape(id)}': 'recordings list' shows the ids.");
        return ExitCodes.Negative;
    }

    // The recording is there; what the archive refuses from here on is an answer and not a failure.
    private static int Refusable(CommandContext context, Action work)
    {
        try
        {
            work();
            return ExitCodes.Done;
        }
        catch (ArchiveException refusal)
        {
            context.Error.WriteLine(SafeText.Escape(refusal.Message));
            return ExitCodes.Negative;
        }
    }
}
