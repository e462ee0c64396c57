using SipNat.Endpoint.Media;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// Somebody who throws away what a call sends to a telephone's RTP port, or claims to, and says so by ICMP as often as
/// Linux does to one host: six times, and once in a second from then on (net.ipv4.icmp_ratelimit).
/// </summary>
internal sealed class RefusingHost
{
    private const double Burst = 6;
    private static readonly TimeSpan Way = TimeSpan.FromMilliseconds(10);

    private readonly PlantedCall _planted;
    private readonly TransportAddress _port;
    private double _mayTell = Burst;
    private Instant _toldAt;

    public RefusingHost(PlantedCall planted)
    {
        (_planted, _port) = (planted, planted.Phone.Media);
        Offender = _port.WithPort(0);
        planted.Network.Trace = See;
    }

    public TransportAddress Offender { get; set; }

    /// <summary>Type and code.</summary>
    public (byte Type, byte Code) Says { get; set; } = (3, 3);

    public bool IsOn { get; set; }

    /// <summary>What it makes of the packet that it quotes.</summary>
    public Func<byte[], byte[]> Quotes { get; set; } = static packet => packet;

    /// <summary>Where it says that the packet was to go.</summary>
    public Func<TransportAddress, TransportAddress> Blames { get; set; } = static to => to;

    public int Told { get; private set; }

    private void See(PacketRecord packet)
    {
        if (!IsOn || packet.Stage is not PacketStage.Sent || packet.To != _port) return;

        _mayTell = Math.Min(Burst, _mayTell + (packet.At - _toldAt).TotalSeconds);
        _toldAt = packet.At;
        if (_mayTell < 1) return;

        _mayTell--;
        Told++;
        var (local, quoted) = (packet.From, Quotes(packet.Bytes.ToArray()));
        var error = new IcmpError(Blames(packet.To), Offender, Says.Type, Says.Code);
        _planted.Network.After(Way, () => _planted.Caller.HandleIcmp(local, error, quoted));
    }
}
