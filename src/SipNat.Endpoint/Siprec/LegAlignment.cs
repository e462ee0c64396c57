namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Puts the legs of a session on one clock. The arrival of a leg's first packet holds what the network added to it; the
/// sender's own clock (RTCP SR, RFC 3550 §6.4.1) does not. Where two or more legs have sender reports whose clocks
/// agree with the arrivals, they are placed against each other by these.
/// </summary>
public static class LegAlignment
{
    // Legs whose senders' clocks differ from the arrivals by more than this are not on one clock.
    private static readonly TimeSpan Agreement = TimeSpan.FromMilliseconds(500);

    /// <summary>What is added to the arrival of each stream's first packet, by m-line index; zero where nothing better is known.</summary>
    public static IReadOnlyDictionary<int, TimeSpan> OffsetsOf(RecordingSnapshot snapshot)
    {
        var corrections = snapshot.Streams.ToDictionary(s => s.Index, _ => TimeSpan.Zero);
        var legs = snapshot.Streams
            .Where(s => s.Report?.Stream is { StartedAt: not null, SenderStart.IsNone: false })
            .Select(s => (s.Index, Arrival: s.Report!.Stream.StartedAt!.Value, Sent: s.Report.Stream.SenderStart))
            .OrderBy(leg => leg.Arrival)
            .ToList();
        if (legs.Count < 2) return corrections;

        var first = legs[0];
        foreach (var leg in legs.Skip(1))
        {
            var correction = (leg.Sent - first.Sent) - (leg.Arrival - first.Arrival);
            if (correction.Duration() <= Agreement) corrections[leg.Index] = correction;
        }

        return corrections;
    }
}
