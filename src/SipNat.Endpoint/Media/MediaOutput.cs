using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What a media plane and its sessions want sent, written, bound and told, each in order.</summary>
internal sealed class MediaOutput
{
    /// <summary>Sessions that are open: the more there are, the more rarely each tells of itself.</summary>
    public int Sessions { get; set; }

    public Outbox Outbox { get; } = new();

    public Queue<MediaEvent> Events { get; } = new();

    public Queue<RecordingWrite> Writes { get; } = new();

    public CaptureQueue Captures { get; } = new();

    public Queue<MediaPortRequest> PortRequests { get; } = new();

    public Queue<MediaConnectionRequest> Connections { get; } = new();
}
