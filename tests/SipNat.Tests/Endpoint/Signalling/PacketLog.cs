using System.Text;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Keeps what passed through a simulated network, so that a test can say what was sent to whom.</summary>
internal sealed class PacketLog
{
    private readonly List<LoggedPacket> _packets = [];

    public PacketLog(SimulatedNetwork network) => network.Trace = packet =>
    {
        if (IsKept) _packets.Add(new(packet.At, packet.Stage, packet.From, packet.To, packet.Bytes.ToArray()));
    };

    /// <summary>Whether packets are kept at all; long runs turn it off.</summary>
    public bool IsKept { get; set; } = true;

    /// <summary>What left a host's address, in order.</summary>
    public IEnumerable<LoggedPacket> SentBy(TransportAddress host) =>
        _packets.Where(p => p.Stage is PacketStage.Sent && p.From.HasSameAddress(host));

    /// <summary>What reached a host's address, in order.</summary>
    public IEnumerable<LoggedPacket> ReceivedBy(TransportAddress host) =>
        _packets.Where(p => p.Stage is PacketStage.Delivered && p.To.HasSameAddress(host));
}

internal sealed record LoggedPacket(Instant At, PacketStage Stage, TransportAddress From, TransportAddress To, byte[] Bytes)
{
    public double Seconds => (At - new Instant(0)).TotalSeconds;

    public bool IsSip => Bytes.Length > 20 && Bytes.AsSpan().IndexOf("SIP/2.0"u8) >= 0;

    public bool IsStun => Bytes is [< 4, ..];

    public bool IsRtp => Bytes is [>= 128 and < 192, < 192 or > 223, ..];

    public bool IsRtcp => Bytes is [>= 128 and < 192, >= 192 and <= 223, ..];

    /// <summary>A SIP message in few words: its method or status and its CSeq.</summary>
    public string Summary
    {
        get
        {
            if (!IsSip) return Encoding.ASCII.GetString(Bytes);

            var message = ScriptedSipMessage.Read(Bytes)!;
            return message.IsResponse ? $"{message.Status} {message.CSeq}" : message.Method;
        }
    }
}
