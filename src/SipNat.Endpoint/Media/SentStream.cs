using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What a call sends, kept as if it had been received: placed by its timestamps, with silence where nothing was sent.</summary>
internal sealed class SentStream
{
    private readonly RecordedStream _recorded;
    private readonly StreamFiles _files;
    private readonly TransportAddress _local;
    private byte[] _packet = [];
    private ushort _sequence;
    private Instant? _heldAt;

    /// <param name="stream">The number of the stream among those of its session, from 0.</param>
    /// <param name="local">Where it leaves.</param>
    public SentStream(SessionId session, int stream, TransportAddress local, MediaOutput output)
    {
        _local = local;
        _recorded = new(new(), new(new() { Policy = LatchPolicy.Off }, local, local));
        _files = new(session, stream, _recorded, local, output);
    }

    public Instant? Deadline => Instant.Earlier(_recorded.Deadline, _files.Due);

    /// <summary>Whether there is audio that was not handed over.</summary>
    public bool HasWrites => _files.Due is not null;

    /// <summary>Nothing of it is kept.</summary>
    public bool IsPaused
    {
        set => _recorded.IsPaused = value;
    }

    /// <summary>What a payload type stands for.</summary>
    public void Negotiate(int payloadType, PayloadFormat format) => _recorded.Payloads.Negotiate(payloadType, format);

    /// <summary>Whether anything is to be expected.</summary>
    public void Expect(Instant now, bool isSending)
    {
        _heldAt = isSending ? null : _heldAt ?? now;
        if (isSending) _recorded.Resume(now);
        else _recorded.Hold(now);
    }

    /// <summary>Takes a payload that leaves.</summary>
    /// <param name="timestamp">Its RTP time.</param>
    public void Add(Instant now, uint ssrc, uint timestamp, int payloadType, ReadOnlySpan<byte> payload)
    {
        var length = RtpPacket.HeaderLength + payload.Length;
        if (_packet.Length < length) _packet = new byte[length];
        RtpWriter.Write(_packet.AsSpan(0, length), new(payloadType, _sequence++, timestamp, ssrc), payload);
        _recorded.HandleRtp(now, now, _local, _packet.AsSpan(0, length));
        _files.Collect(now, _local);
    }

    public void HandleTimeout(Instant now)
    {
        _recorded.HandleTimeout(now);
        _files.Collect(now, _local);
    }

    /// <summary>Hands over what waits, without an end.</summary>
    public void Collect(Instant now) => _files.Collect(now, _local);

    /// <summary>Completes the files.</summary>
    public void Finish(Instant now)
    {
        _recorded.Finish(now, _heldAt ?? now);
        _files.Collect(now, _local);
    }

    public StreamReport Report(Instant now) => _recorded.Report(now);
}
