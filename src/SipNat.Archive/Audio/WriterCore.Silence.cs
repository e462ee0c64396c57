using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>What files lack for good: it is told, and becomes silence once the disk keeps up, or as their end.</summary>
internal sealed partial class WriterCore
{
    // What is written late lies within the two blocks before the end: before that, nothing changes any more.
    private const int Unsettled = 2 * StreamTimeline.BlockLength;

    private readonly Queue<SilenceFill> _fills = new();
    private readonly byte[] _silence = new byte[WriteRun.MaxLength];

    private static long Settled(AudioFile file) => file.Reached - Unsettled;

    private void Finish(AudioFile file, long finalLength)
    {
        Reach(file, finalLength);
        var fill = new SilenceFill(file, file.Trouble.Look(Settled(file), isClosing: true) ?? [], finalLength);
        if (fill.IsDone) Finish(fill);
        else Begin(fill);
    }

    private void Finish(SilenceFill fill)
    {
        var file = fill.File;
        _layout.WriteHeader(file);
        FileLayout.WritePadding(file);
        forced.Close(file, file.Open!);
        if (file.Trouble.IsActive) Settle(fill);
        Forget(file);
    }

    private void Begin(SilenceFill fill)
    {
        fill.File.Fill = fill;
        _fills.Enqueue(fill);
    }

    // Files take turns, as with audio.
    private void Fill()
    {
        var fill = _fills.Dequeue();
        var file = fill.File;
        if (file.Fill != fill) return;

        if (!Try(file, static (core, file) => core.Step(file.Fill!)))
        {
            file.Fill = null;
            Stall([fill.FinalLength is { } length ? new WriteJob(WriteJobKind.Close, file, Length: length) : new WriteJob(WriteJobKind.Open, file)]);
        }
        else if (file.Fill == fill)
        {
            _fills.Enqueue(fill);
        }
    }

    private void Step(SilenceFill fill)
    {
        var file = fill.File;
        Open(file);
        if (file.AudioLength < fill.From)
        {
            // Its disk came back with less: what it lacks is found out anew.
            file.Fill = null;
            if (fill.FinalLength is { } length) Finish(file, length);
            else MarkWritten(file);
            return;
        }

        if (!fill.IsDone)
        {
            fill.Step(_silence);
            forced.Written(file);
            return;
        }

        if (fill.FinalLength is not null)
        {
            Finish(fill);
            return;
        }

        Settle(fill);
        file.Fill = null;
        MarkWritten(file);
    }

    private void Settle(SilenceFill fill)
    {
        if (fill.File.Trouble.Settle(fill.File.Path, fill.Spans, fill.FinalLength is not null) is { } fault) report(fault);
    }

    private void LookAfter(AudioFile file)
    {
        if (file.Trouble.TellMissing(file.Path, Settled(file)) is { } fault) report(fault);
        if (file.Trouble.Look(Settled(file), isClosing: false) is { } missing) Begin(new SilenceFill(file, missing, finalLength: null));
        else MarkWritten(file);
    }
}
