using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>Hands what is recorded of one stream to its files, in order and in turns.</summary>
/// <param name="stream">The number of the stream among those of its session, from 0.</param>
/// <param name="local">Where its packets arrive, or leave.</param>
internal sealed class StreamFiles(SessionId session, int stream, RecordedStream recorded, TransportAddress local, MediaOutput output)
{
    private const int MaxWritesPerTurn = 16;
    private static readonly TimeSpan WriteTurn = TimeSpan.FromMilliseconds(10);

    // By their index: they begin in order.
    private readonly List<RecordingFile> _files = [];
    private readonly Queue<TimelineEvent.FileEnded> _ended = new();
    private RecordingFile? _others;

    /// <summary>When the next writes are handed over; null where none waits.</summary>
    public Instant? Due { get; private set; }

    /// <summary>Hands over what there is.</summary>
    /// <param name="source">Where the last packet came from.</param>
    /// <returns>The last place at which the arrival decided, as a timestamp jumped; null where none did.</returns>
    public StreamAnchor? Collect(Instant now, TransportAddress source)
    {
        StreamAnchor? jump = null;
        while (recorded.Timeline.TryTakeEvent(out var happened))
        {
            switch (happened)
            {
                case TimelineEvent.FileStarted(var index, var codec, var at):
                    _files.Add(new(index, codec, at, local, source));
                    break;
                case TimelineEvent.FileEnded ended:
                    // Behind the writes that are still queued: nothing follows the end of a file.
                    _ended.Enqueue(ended);
                    break;
                case TimelineEvent.Anchored({ Reason: AnchorReason.TimestampJump } anchor):
                    jump = anchor;
                    break;
            }
        }

        CollectWrites(now);
        while (recorded.Others.TryTake(out var write))
        {
            _others ??= new(write.FileIndex, FileCodec.Various, recorded.Others.File!.Value.StartedAt, local, source);
            output.Writes.Enqueue(new(session, stream, _others, write.Buffer, 0));
        }

        return jump;
    }

    /// <summary>Ends the file of what came beside the stream; the others end by the timeline.</summary>
    public void Finish()
    {
        if (_others is { } file) output.Writes.Enqueue(new(session, stream, file, null, recorded.Others.File!.Value.Length));
    }

    // The silence of a long hold is thousands of writes at once, which no queue to a disk would hold: they leave in turns.
    private void CollectWrites(Instant now)
    {
        Due = null;
        for (var taken = 0; taken < MaxWritesPerTurn; taken++)
        {
            if (!recorded.Timeline.TryTake(out var write))
            {
                while (_ended.TryDequeue(out var ended)) output.Writes.Enqueue(new(session, stream, _files[ended.FileIndex], null, ended.Length));
                return;
            }

            output.Writes.Enqueue(new(session, stream, _files[write.FileIndex], write.Buffer, 0));
        }

        Due = now + WriteTurn;
    }
}
