using SipNat.Media.Playout;
using SipNat.Media.Quality;
using SipNat.Media.Rtcp;

namespace SipNat.Endpoint.Media;

/// <summary>Rates what is heard in a call, and says it in the terms of RTCP.</summary>
internal static class CallQuality
{
    // RFC 3611 §4.7.6: enhanced concealment, a buffer that adapts, at no particular rate.
    private const byte ReceiverConfiguration = 0b1111_0000;
    private const double Parts = 256;

    /// <summary>Adds what the peer has told, and the rating.</summary>
    public static CallAudioReport Report(CallAudioReport report, StreamSender sender, PlayoutBuffer playout, TimeSpan packetTime)
    {
        var peer = sender.Reporter.Heard is { } heard ? Told(heard, sender.AudioClockRate) : null;
        var told = report with { Peer = peer, PeerReportedAt = sender.Reporter.JudgedAt, PeerMetrics = sender.Reporter.HeardMetrics };
        if (report.Playout.Played == 0) return told;

        var delay = report.Delay + packetTime + ((peer?.RoundTrip ?? TimeSpan.Zero) / 2);
        var rating = EModel.Rate(CodecImpairment.Of(report.CodecReceived), playout.Losses.Loss, delay, playout.Losses.Ratio);
        return told with { Rating = rating, MeanOpinion = EModel.MeanOpinion(rating) };
    }

    /// <summary>The VoIP metrics of what is heard (RFC 3611 §4.7).</summary>
    public static VoipMetrics Metrics(uint ssrc, CallAudioReport report, PlayoutBuffer playout, TimeSpan packetTime)
    {
        var losses = playout.Losses;
        var late = losses.Packets == 0 ? 0 : Math.Min(losses.Loss, (double)report.Playout.Late / losses.Packets);
        var opinion = report.MeanOpinion is { } mean ? (byte)Math.Round(10 * mean) : VoipMetrics.Unknown;
        return new()
        {
            Ssrc = ssrc,
            LossRate = PartOf(losses.Loss - late),
            DiscardRate = PartOf(late),
            BurstDensity = PartOf(losses.BurstDensity),
            GapDensity = PartOf(losses.GapDensity),
            BurstDuration = Milliseconds(losses.BurstLength * packetTime),
            GapDuration = Milliseconds(losses.GapLength * packetTime),
            RoundTripDelay = Milliseconds(report.Peer?.RoundTrip ?? TimeSpan.Zero),
            EndSystemDelay = Milliseconds(report.Delay + packetTime),
            SignalLevel = VoipMetrics.Unknown,
            NoiseLevel = VoipMetrics.Unknown,
            EchoReturnLoss = VoipMetrics.Unknown,
            Gmin = BurstCounter.Gmin,
            RFactor = report.Rating is { } rating ? (byte)Math.Round(rating) : VoipMetrics.Unknown,
            ExternalRFactor = VoipMetrics.Unknown,
            MosListening = opinion,
            MosConversation = opinion,
            ReceiverConfiguration = ReceiverConfiguration,
            BufferNominal = Milliseconds(report.Delay),
            BufferMaximum = Milliseconds(report.Delay + packetTime),
            BufferAbsoluteMaximum = Milliseconds(playout.MaxDelay),
        };
    }

    private static PeerAudioReport Told(PeerReport heard, int clockRate) => new(
        heard.ReceivedAt,
        heard.Block.CumulativeLost,
        heard.Block.FractionLost / Parts,
        TimeSpan.FromSeconds((double)heard.Block.Jitter / clockRate),
        heard.RoundTrip);

    private static byte PartOf(double share) => (byte)Math.Clamp(share * Parts, 0, byte.MaxValue);

    private static ushort Milliseconds(TimeSpan span) => (ushort)Math.Clamp(span.TotalMilliseconds, 0, ushort.MaxValue);
}
