using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What ICMP says of what a stream sends.</summary>
internal sealed partial class MediaStream
{
    private readonly IcmpEvidence _icmp = new();

    /// <summary>
    /// Takes what ICMP says of a datagram; true where it shows that audio of a call is refused, and nothing did before. A
    /// recorder has no audio: that nobody listens where it keeps a pinhole open, or reports, is usual.
    /// </summary>
    public bool HandleIcmp(Instant now, FlowId flow, in IcmpError error, ReadOnlySpan<byte> quoted) =>
        _settings.Audio is not null && !_isClosing && _sender.SendsTo(flow, error.Destination)
        && _sender.IsOurs(quoted) is var isOurs and not false && _icmp.Note(now, flow, error, isOurs is true);

    private IcmpRefusal? RefusedByIcmp(Instant now) =>
        _icmp.Standing(now) is var (flow, refusal) && _sender.SendsTo(flow, refusal.Error.Destination) ? refusal : null;
}
