using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Sends the receiver reports of one stream at RFC 3550 §6.3 times. They keep the RTCP pinhole open too.</summary>
public sealed class RtcpReporter
{
    public RtcpReporter(RtcpReporterOptions options, SendGate gate, Random random) => throw new NotSupportedException();

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null until <see cref="Start"/>.</summary>
    public Instant? Deadline => throw new NotSupportedException();

    public long Sent => throw new NotSupportedException();

    /// <summary>Allows sending.</summary>
    public void Start(Instant now) => throw new NotSupportedException();

    /// <summary>A compound of the peer: its size and its members count in the interval.</summary>
    public void HandleCompound(Instant now, in RtcpCompound compound) => throw new NotSupportedException();

    public void HandleTimeout(Instant now, RtpReceiver receiver, Outbox outbox, FlowId flow, TransportAddress destination) => throw new NotSupportedException();

    /// <summary>Sends RR, CNAME and BYE, where a report was sent before (RFC 3550 §6.3.7), and stops.</summary>
    public void Finish(Instant now, RtpReceiver receiver, Outbox outbox, FlowId flow, TransportAddress destination) => throw new NotSupportedException();
}

public sealed record RtcpReporterOptions
{
    public required uint Ssrc { get; init; }

    /// <summary>RFC 7022: at most <see cref="RtcpWriter.MaxCname"/> ASCII bytes, the same for all streams of a session.</summary>
    public required string Cname { get; init; }

    /// <summary>No report comes later than this after the one before.</summary>
    public TimeSpan KeepaliveInterval { get; init; } = TimeSpan.FromSeconds(25);
}
