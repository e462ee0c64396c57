using SipNat.Fuzz.Engine;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A mapper with three ports before a router, and strangers, that send and answer anything at any time.</summary>
internal sealed class PortMapperTarget : IFuzzTarget
{
    private const int MaxSteps = 400;
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.10:40000");
    private static readonly TransportAddress Router = TransportAddress.Parse("192.168.1.1");
    private static readonly FlowId Flow = new(1);
    private static readonly int[] Ports = [5060, 10000, 10001];

    public string Name => "port-mapper";

    public string Promise => "nothing is sent but to the router and the SSDP group, a deadline that was served lies ahead, no mapping comes from anybody but the router, and no buffer is kept";

    public int MaxLength => 2 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } = [[2, 0x80, 0, 0], [2, 0x81, 0, 0], [0, 128, 0, 0], [0, 129, 0, 0]];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        yield return [0, 10, 1, 2, 0, 12, 0, 128, 0, 0, 0, 0, 1, 0, 198, 51, 100, 7, 0, 200, 1, 2, 0, 16, 0, 129, 0, 0, 0, 0, 1, 0, 0x13, 0xC4, 0x13, 0xC4, 0, 0, 0x1C, 0x20];
        yield return [1, 2, 0, 24, 2, 0x80, 0, 0, .. new byte[4], 0, 0, 1, 0, .. new byte[12], 0, 100, 3, 0, 4];
    }

    public long AllowedBytes(int inputLength) => (4 * 1024 * 1024) + (256L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var mapper = new PortMapper(new() { Router = Router }, new Random(1));
        var now = new Instant(1);
        var rest = input;
        var (steps, seen) = (0, 0);
        mapper.HandleFlow(now, Flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, Local, default));
        foreach (var port in Ports) mapper.TryMap(now, new(TransportProtocol.Udp, Local.WithPort(port)), (ushort)port);
        while (rest.Length >= 2 && steps++ < MaxSteps)
        {
            var (kind, value) = (rest[0], rest[1]);
            rest = rest[2..];
            switch (kind % 6)
            {
                case 0:
                    now += TimeSpan.FromMilliseconds(value * value);
                    break;
                case 1 or 2:
                    rest = Receive(mapper, now, (kind % 6, value), rest);
                    break;
                case 3:
                    mapper.HandleHttp(now, value % 16, value > 128 ? 200 : 500, rest[..Math.Min(rest.Length, value)]);
                    break;
                case 4:
                    mapper.Unmap(now, new(TransportProtocol.Udp, Local.WithPort(Ports[value % Ports.Length])));
                    break;
                default:
                    mapper.TryMap(now, new(TransportProtocol.Udp, Local.WithPort(Ports[value % Ports.Length])), value);
                    break;
            }

            mapper.HandleTimeout(now);
            Invariant.Holds(mapper.Deadline is not { } due || due > now, "A deadline that was served lies ahead.");
            seen = HashCode.Combine(seen, Drain(mapper));
        }

        Invariant.Holds(mapper.Outbox.Rented == 0, "No buffer is kept.");
        return HashCode.Combine(mapper.Method, mapper.Ports, seen);
    }

    // 1 is the router, 2 anybody; the value is the port: 0 for SSDP's, 1 for another, else that of PCP and NAT-PMP.
    private static ReadOnlySpan<byte> Receive(PortMapper mapper, Instant now, (int Kind, byte Value) input, ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2) return default;

        var length = Math.Min(((rest[0] << 8) | rest[1]) % 1200, rest.Length - 2);
        var from = input.Kind == 1 ? Router : TransportAddress.Parse("198.51.100.66");
        mapper.HandleDatagram(now, Flow, from.WithPort(input.Value switch { 0 => 1900, 1 => 777, _ => 5351 }), rest.Slice(2, length));
        return rest[(2 + length)..];
    }

    private static int Drain(PortMapper mapper)
    {
        var hash = 0;
        while (mapper.TryTake(out var happened))
        {
            hash = HashCode.Combine(hash, happened.GetType());
            Invariant.Holds(happened.Explain().Length > 0, "Every event can be told.");
        }

        while (mapper.TryTakeHttp(out var request)) Invariant.Holds(request.Address.Host == "192.168.1.1", "Only the router is asked.");
        while (mapper.Outbox.TryTake(out var transmit))
        {
            var to = transmit.Destination;
            Invariant.Holds(to.HasSameAddress(Router) ? to.Port == 5351 : to == TransportAddress.Parse("239.255.255.250:1900"), "Only the router and the group are sent to.");
            mapper.Outbox.Release(transmit);
        }

        return hash;
    }
}
