namespace SipNat.Archive.Documents;

/// <summary>
/// Whether a recording is whole: what there should be by signalling, what of it stands in the files, and where the
/// difference comes from. Seconds of all streams together, up to the moment at which the document was written.
/// </summary>
public sealed record RecordingAssurance
{
    /// <summary>Nothing came before the stream's first packet, though it was agreed on and not held.</summary>
    public const string BeforeFirstPacket = "before-first-packet";

    /// <summary>Silence stands in the file where no packet was placed: lost on the way, or not sent.</summary>
    public const string NotReceived = "not-received";

    /// <summary>Silence stands in the file where the disk and then the memory had no room for what came.</summary>
    public const string NotWritten = "not-written";

    /// <summary>The file follows the sender's clock, and this is how far it ran from ours; negative where it is fast.</summary>
    public const string SenderClock = "sender-clock";

    /// <summary>How long the streams were agreed on, and neither held nor paused.</summary>
    public double ExpectedSeconds { get; init; }

    /// <summary>Audio from the wire that stands in the files.</summary>
    public double RecordedSeconds { get; init; }

    /// <summary>Silence that was filled in, that of holds too; with <see cref="RecordedSeconds"/> it is what the files play.</summary>
    public double SilenceSeconds { get; init; }

    /// <summary>What <see cref="ExpectedSeconds"/> less <see cref="RecordedSeconds"/> consists of.</summary>
    public IReadOnlyList<AssuranceReason> Reasons { get; init => field = value ?? []; } = [];
}

/// <summary>One part of the difference between what was expected and what was recorded.</summary>
/// <param name="Stream">The stream's number in the session, from 1.</param>
/// <param name="Reason">A short constant word, see <see cref="RecordingAssurance"/>.</param>
public sealed record AssuranceReason(int Stream, double Seconds, string Reason);
