using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>The audio of one source on its way out: SSRC, sequence numbers and timestamps (RFC 3550 §5.1).</summary>
public sealed class RtpSender
{
    private readonly uint _ssrc;
    private ushort _sequence;
    private uint _timestamp;
    private readonly ushort _first;
    private bool _isResuming = true;
    private Instant _sentAt;
    private uint _sentTimestamp;

    /// <param name="random">
    /// First sequence number and timestamp are drawn from it, so that they cannot be guessed. The number is in the lower half:
    /// an SRTP receiver that loses the first packets would not know of a roll-over in them (RFC 3711 §3.3.1).
    /// </param>
    public RtpSender(uint ssrc, Random random)
    {
        (_ssrc, _first, _timestamp) = (ssrc, (ushort)random.Next(1 << 15), (uint)random.NextInt64(1L << 32));
        _sequence = _first;
    }

    /// <summary>The synchronization source that the audio has.</summary>
    public uint Ssrc => _ssrc;

    /// <summary>Packets sent so far.</summary>
    public long Sent { get; private set; }

    /// <summary>Of the next packet.</summary>
    public uint Timestamp => _timestamp;

    /// <summary>Bytes of payload in them.</summary>
    public long Octets { get; private set; }

    /// <summary>The number of the first packet, keepalives included.</summary>
    public ushort FirstSequence => _first;

    /// <summary>Timestamp units per second of what was sent last.</summary>
    public int ClockRate { get; set; } = 8000;

    /// <summary>The RTP time of a moment, for a sender report (RFC 3550 §6.4.1).</summary>
    public uint TimestampAt(Instant now) => _sentTimestamp + (uint)((now - _sentAt).Ticks * ClockRate / TimeSpan.TicksPerSecond);

    /// <summary>Sends the next packet.</summary>
    /// <param name="samples">How long the payload lasts, in units of the format's clock.</param>
    /// <param name="isNoise">It is a pause (RFC 3389), and what follows comes after one.</param>
    public void Send(
        Instant now, Outbox outbox, FlowId flow, TransportAddress destination, int payloadType, ReadOnlySpan<byte> payload, int samples, bool isNoise = false)
    {
        // The first packet after a pause is marked (RFC 3551 §4.1).
        RtpWriter.Write(
            outbox.Write(flow, destination, RtpPacket.HeaderLength + payload.Length),
            new(payloadType, _sequence++, _timestamp, _ssrc, Marker: _isResuming && !isNoise),
            payload);
        // A packet leaves when its last sample was made.
        (_sentAt, _sentTimestamp) = (now, _timestamp + (uint)samples);
        _timestamp += (uint)samples;
        _isResuming = isNoise;
        Sent++;
        Octets += payload.Length;
    }

    /// <summary>Sends a packet of an event that lasts (RFC 4733 §2.5.1); it takes a number and no time.</summary>
    /// <param name="timestamp">When the event began: <see cref="Timestamp"/> of that time.</param>
    /// <param name="isFirst">The event begins with it.</param>
    public void SendEvent(Outbox outbox, FlowId flow, TransportAddress destination, int payloadType, ReadOnlySpan<byte> payload, uint timestamp, bool isFirst)
    {
        RtpWriter.Write(
            outbox.Write(flow, destination, RtpPacket.HeaderLength + payload.Length),
            new(payloadType, _sequence++, timestamp, _ssrc, isFirst),
            payload);
        Sent++;
        Octets += payload.Length;
    }

    /// <summary>Lets time pass without a packet: nothing could be sent.</summary>
    /// <param name="samples">How long, in units of the format's clock.</param>
    public void Skip(int samples) => (_timestamp, _isResuming) = (_timestamp + (uint)samples, true);

    /// <summary>Sends a packet that opens or keeps a pinhole; it takes a number and no time.</summary>
    /// <param name="payload">Of the time before the next frame, at a byte for each sample; empty where nothing may be heard.</param>
    public void SendProbe(Outbox outbox, FlowId flow, TransportAddress destination, int payloadType, ReadOnlySpan<byte> payload) => RtpWriter.Write(
        outbox.Write(flow, destination, RtpPacket.HeaderLength + payload.Length), new(payloadType, _sequence++, _timestamp - (uint)payload.Length, _ssrc), payload);
}
