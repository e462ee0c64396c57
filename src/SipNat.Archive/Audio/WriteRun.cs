using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>
/// Buffers of one file that follow each other, as one write. A disk that is behind gets fewer and larger writes by it: up
/// to 64 KiB, of which a sixteenth is written by each where nothing has gathered.
/// </summary>
/// <remarks>
/// The bytes are copied together. A vectored write (<c>pwritev</c>) would spare that, but .NET's allocates for each of
/// its buffers, and the copy is a small part of what a write costs.
/// </remarks>
internal sealed class WriteRun
{
    /// <summary>Bytes of one write at most, unless one buffer has more.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Jobs that are looked at for one write: so many pages are <see cref="MaxLength"/>.</summary>
    public const int MaxJobs = MaxLength / StreamTimeline.BlockLength;

    private byte[]? _bytes;

    /// <summary>How many of these jobs of one file, from the first on, are one write; a job of another kind is alone.</summary>
    public static int CountOf(ReadOnlySpan<WriteJob> jobs)
    {
        if (jobs[0].Buffer is not { } first) return 1;

        var (count, length) = (1, first.Length);
        while (count < jobs.Length && jobs[count].Buffer is { } next && next.Offset == first.Offset + length && length + next.Length <= MaxLength)
        {
            length += next.Length;
            count++;
        }

        return count;
    }

    /// <summary>The bytes of such jobs, until the next call.</summary>
    public ReadOnlySpan<byte> Gather(ReadOnlySpan<WriteJob> run)
    {
        if (run.Length == 1) return run[0].Buffer!.Written.Span;

        _bytes ??= new byte[MaxLength];
        var length = 0;
        foreach (ref readonly var job in run)
        {
            job.Buffer!.Written.Span.CopyTo(_bytes.AsSpan(length));
            length += job.Buffer.Length;
        }

        return _bytes.AsSpan(0, length);
    }
}
