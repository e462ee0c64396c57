using System.Buffers.Binary;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Simulation.Ice;

/// <summary>What arrives on the paths: media, and the answers that stand for the peer's consent.</summary>
public sealed partial class IceParty
{
    // The first byte of an RTP packet (RFC 7983 §7).
    private const byte MediaByte = 0x80;

    // A Binding request and a success response (RFC 8489 §5), and where their transaction id ends.
    private const int Request = 0x0001;
    private const int Success = 0x0101;
    private const int HeaderLength = 20;

    private readonly Dictionary<ulong, (FlowId Flow, TransportAddress To)> _asked = [];
    private readonly Dictionary<(FlowId Flow, TransportAddress From), Instant> _answered = [];
    private readonly List<(TimeSpan InUse, TimeSpan Silence)> _lost = [];

    /// <summary>Media packets that came from where the agent accepts them, by component, the first at 0.</summary>
    public int[] MediaReceived { get; } = new int[IceOptions.MaxComponents];

    /// <summary>Sends a media packet on the path of a component; false where it has none.</summary>
    public bool TrySendMedia(Instant now, int component)
    {
        if (Agent.PathOf(component) is not { } path) return false;

        Send(path.Flow, path.Remote, [MediaByte, 0, (byte)component]);
        Drain(now);
        return true;
    }

    /// <summary>For each consent that was lost, how long its path had been in use, and how long ago the last answer on it had come.</summary>
    public IReadOnlyList<(TimeSpan InUse, TimeSpan Silence)> LostConsents => _lost;

    private void Receive(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (IsBinding(datagram, Success) && _asked.TryGetValue(IdOf(datagram), out var asked) && asked == (flow, from)) _answered[asked] = now;
        if (datagram is [MediaByte, _, var component] && component <= MediaReceived.Length)
        {
            if (Agent.Accepts(flow, from)) MediaReceived[component - 1]++;
            return;
        }

        Agent.TryHandle(now, flow, from, datagram);
    }

    public bool LostConsentSince(Instant since) => _events.Exists(happened => happened is IceEvent.ConsentLost && happened.At >= since);

    private void Observe(IceEvent happened)
    {
        _events.Add(happened);
        if (happened is not IceEvent.ConsentLost lost) return;

        var taken = _events.OfType<IceEvent.PathChanged>().Last(changed => changed.Path == lost.Path).At;
        _lost.Add((lost.At - taken, lost.At - _answered.GetValueOrDefault((lost.Path.Flow, lost.Path.Remote))));
    }

    private void ObserveSent(Transmit transmit)
    {
        if (IsBinding(transmit.Payload, Request)) _asked[IdOf(transmit.Payload)] = (transmit.Flow, transmit.Destination);
    }

    private static bool IsBinding(ReadOnlySpan<byte> datagram, int type) => datagram.Length >= HeaderLength && BinaryPrimitives.ReadUInt16BigEndian(datagram) == type;

    // Its last eight octets tell ids apart.
    private static ulong IdOf(ReadOnlySpan<byte> datagram) => BinaryPrimitives.ReadUInt64BigEndian(datagram[(HeaderLength - sizeof(ulong))..]);
}
