using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>
/// One audio file that an <see cref="AudioFileWriter"/> writes. Whoever opened it sees its path; all else belongs to
/// the one writer thread that it was given to, but for what is said otherwise.
/// </summary>
public sealed class AudioFile
{
    private volatile bool _isClosing;
    private volatile bool _isOver;
    private volatile bool _isGone;
    private int _isUnforced;
    private JobChain _jobs;

    internal AudioFile(string path, AudioFileFormat format, WriterThread? owner, TimeProvider clock)
    {
        (Path, Format, Owner) = (path, format, owner);
        Trouble = new WriteTrouble(clock);
    }

    public string Path { get; }

    public AudioFileFormat Format { get; }

    /// <summary>The thread that it was given to; null where none takes anything more.</summary>
    internal WriterThread? Owner { get; }

    /// <summary>What the disk did to it. Any thread.</summary>
    internal WriteTrouble Trouble { get; }

    /// <summary>Whether it was closed by its caller: it takes nothing more. Any thread.</summary>
    internal bool IsClosing
    {
        get => _isClosing;
        set => _isClosing = value;
    }

    /// <summary>Whether nothing more will be written, because it is closed or was given up. Any thread.</summary>
    public bool IsOver
    {
        get => _isOver;
        internal set => _isOver = value;
    }

    /// <summary>Whether its name was found missing: what is written goes nowhere. Any thread.</summary>
    internal bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>Whether it was made by its writer once: what is there under its name is ours.</summary>
    internal bool IsMade { get; set; }

    /// <summary>Null before it is made, while the disk refuses it, and after its end.</summary>
    internal IAudioDiskFile? Open { get; set; }

    /// <summary>What waits for its turn in the <see cref="WriteQueue"/> of its thread, which looks after it.</summary>
    internal ref JobChain Jobs => ref _jobs;

    /// <summary>Bytes of audio in the file, or of records.</summary>
    internal long AudioLength { get; set; }

    /// <summary>Bytes of records that were handed over, or should have been, and are not in the file.</summary>
    internal long Skipped { get; set; }

    /// <summary>Bytes up to which everything was handed over, in the file or skipped.</summary>
    internal long Reached => AudioLength + Skipped;

    /// <summary>Where the last records of the file ended, one for each write; empty where the file has none.</summary>
    internal Queue<long> Ends { get; } = new();

    /// <summary>Whether the header states less than <see cref="AudioLength"/>, and a rewrite is scheduled.</summary>
    internal bool HeaderIsStale { get; set; }

    /// <summary>What has to be done as soon as the disk takes it; null while the disk takes everything.</summary>
    internal Queue<WriteJob>? Waiting { get; set; }

    /// <summary>The silence that is on its way to it; null where none is.</summary>
    internal SilenceFill? Fill { get; set; }

    /// <summary>How long after a refusal the next attempt is made.</summary>
    internal TimeSpan Backoff { get; set; }

    /// <summary>Attempts in vain since the first refusal.</summary>
    internal int Attempts { get; set; }

    /// <summary>A buffer found no room and will be missing; the fault, where this is the first. Any thread.</summary>
    internal AudioFault.Refused? Overflow(WriteBuffer buffer) => Trouble.Refuse(
        Path, "The disk is too slow: the memory for audio that waits for it is full.", buffer.Offset, buffer.Offset + buffer.Length);

    /// <summary>Notes that the medium lacks bytes; false where that was known. Any thread.</summary>
    internal bool TryMarkUnforced() => Interlocked.Exchange(ref _isUnforced, 1) == 0;

    /// <summary>From here on what is written is not yet forced. Any thread.</summary>
    internal void MarkForced() => Volatile.Write(ref _isUnforced, 0);
}
