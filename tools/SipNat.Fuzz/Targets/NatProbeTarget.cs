using System.Text;
using SipNat.Endpoint.Diagnosis;
using SipNat.Fuzz.Engine;
using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>The probes of <c>nat</c> among servers that answer late, wrongly, for each other or not at all.</summary>
internal sealed class NatProbeTarget : IFuzzTarget
{
    private const int MaxRemembered = 64;

    private static readonly TransportAddress[] Servers =
        Addresses.Of("198.51.100.1:3478", "198.51.100.2:3478", "198.51.100.2:3479", "198.51.100.1:3479", "192.168.1.20:5060", "[2001:db8::2]:3478");

    public string Name => "nat-probes";

    public string Promise => "nothing is due after a timeout; what is sent at once is bounded, and never goes to this host, a group or nowhere; every probe ends";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 768);

    public long AllowedBytes(int inputLength) => (1024 * 1024) + (16 * 1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var random = new Random(script.NextByte());
        switch (script.Next(4))
        {
            case 0:
                var behaviour = new NatBehaviourProbe(new() { Servers = Servers[..(1 + script.Next(3))], IsFast = script.Next(4) == 0 }, random);
                return new Exchange(behaviour, () => behaviour.Result).Play(script, behaviour.SocketCount);
            case 1:
                var lifetime = new MappingLifetimeProbe(new() { Server = Servers[0], Silences = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(9)] }, random);
                return new Exchange(lifetime, () => lifetime.Result).Play(script, lifetime.SocketCount);
            case 2:
                var alg = new SipAlgProbe(new() { Target = Servers[script.Next(5)], Host = "sip.example.net", StunServers = Servers[..script.Next(4)] }, random);
                return new Exchange(alg, () => alg.Result).Play(script, SipAlgProbe.SocketCount);
            default:
                var turn = new TurnReachProbe([new(new() { Server = Servers[0], Credentials = new("user", "password") }, null), new(new() { Server = Servers[1] }, null)], random);
                return new Exchange(turn, () => turn.Result).Play(script, turn.SocketCount);
        }
    }

    private sealed class Exchange(IProtocolCore probe, Func<object?> result)
    {
        private const int MaxSentAtOnce = 64;
        private const int MaxSteps = 20_000;

        private readonly List<(FlowId Flow, TransportAddress To, byte[] Bytes)> _sent = [];
        private Instant _now = new(1);
        private int _sockets;
        private int _outcome;

        public int Play(Script script, int sockets)
        {
            _sockets = sockets;
            for (var i = 0; i < sockets; i++)
            {
                var local = TransportAddress.Parse("192.168.1.10").WithPort(40000 + i);
                probe.HandleFlow(_now, new(i + 1), new(FlowChangeKind.Opened, TransportProtocol.Udp, local, default));
            }

            while (!script.IsOver) Step(ref script);

            for (var steps = 0; probe.Deadline is { } due; steps++)
            {
                Invariant.Holds(steps < MaxSteps, "Every probe ends.");
                if (due > _now) _now = due;
                Timeout();
            }

            Invariant.Holds(result() is not null, "A probe that has nothing to do has a result.");
            Invariant.Holds(probe.Outbox.Rented == 0, "Everything rented was given back.");
            return HashCode.Combine(_outcome, result()!.ToString()!.Length, _sockets);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(8))
            {
                case 0 or 1:
                    if (probe.Deadline is { } due && due > _now) _now = due;
                    break;
                case 2:
                    _now += TimeSpan.FromMilliseconds(script.NextUInt16());
                    break;
                case 3:
                    Give(new(1 + script.Next(_sockets + 1)), Servers[script.Next(Servers.Length)], script.NextBytes(script.NextByte()));
                    break;
                default:
                    Answer(ref script);
                    break;
            }

            Timeout();
        }

        private void Answer(ref Script script)
        {
            if (_sent.Count == 0) return;

            var (flow, to, bytes) = _sent[^(1 + script.Next(_sent.Count))];
            if (script.Next(8) == 0) flow = new(1 + script.Next(_sockets));
            var from = script.Next(4) == 0 ? Servers[script.Next(Servers.Length)] : to;
            var answer = StunMessage.TryRead(bytes, out var request, out _) ? Stun(ref script, request.TransactionId) : Sip(ref script, bytes);
            if (script.Next(4) == 0) answer[script.Next(Math.Min(answer.Length, 256))] ^= (byte)(1 << script.Next(8));
            Give(flow, from, answer);
        }

        private static byte[] Stun(ref Script script, StunTransactionId id)
        {
            var buffer = new byte[2048];
            var writer = new StunWriter(buffer, script.Next(8) == 0 ? StunClass.Error : StunClass.Success, script.Next(8) == 0 ? StunMethod.Allocate : StunMethod.Binding, id);
            var mapped = new TransportAddress([203, 0, (byte)script.Next(3), script.NextByte()], script.NextByte() * 257);
            if (script.Next(8) != 0) writer.AddAddress(StunAttributeType.XorMappedAddress, mapped);
            if (script.NextBool()) writer.AddAddress(StunAttributeType.MappedAddress, script.NextBool() ? mapped : TransportAddress.Parse("192.168.1.10:40000"));
            if (script.NextBool()) writer.AddAddress(StunAttributeType.OtherAddress, Servers[script.Next(Servers.Length)].WithPort(script.NextUInt16()));
            if (script.Next(4) == 0) writer.AddErrorCode(300 + script.NextByte(), "no");
            if (script.Next(4) == 0) writer.Add(StunAttributeType.Padding, new byte[1500]);
            return writer.Written.ToArray();
        }

        // The request's own lines, some of them touched.
        private static byte[] Sip(ref Script script, byte[] request)
        {
            var text = Encoding.UTF8.GetString(request);
            var head = text[(text.IndexOf("\r\n", StringComparison.Ordinal) + 2)..];
            if (script.NextBool()) head = head.Replace(";rport", ";rport=4000;received=192.168.1.10", StringComparison.Ordinal);
            if (script.Next(4) == 0) head = head.Replace("192.168.1.10", "203.0.113.1", StringComparison.Ordinal);
            if (script.Next(4) == 0) head = head.Replace("From:", "X:", StringComparison.Ordinal);
            return Encoding.UTF8.GetBytes($"SIP/2.0 {100 + (script.NextByte() * 2)} OK\r\n{head}");
        }

        private void Give(FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
        {
            probe.HandleDatagram(_now, flow, from, datagram);
            Drain();
        }

        private void Timeout()
        {
            probe.HandleTimeout(_now);
            Invariant.Holds(probe.Deadline is null || probe.Deadline > _now, "Nothing is due after a timeout.");
            Drain();
        }

        private void Drain()
        {
            Invariant.Holds(probe.Outbox.Count <= MaxSentAtOnce, "What is sent at once is bounded.");
            while (probe.Outbox.TryTake(out var transmit))
            {
                var to = transmit.Destination;
                Invariant.Holds(to is { Port: not 0, IsNone: false, IsUnspecified: false, IsMulticastOrBroadcast: false, IsLoopback: false }, "What is sent goes to a host.");
                _sent.Add((transmit.Flow, to, transmit.Payload.ToArray()));
                if (_sent.Count > MaxRemembered) _sent.RemoveAt(0);
                _outcome |= 1 << (to.Port % 31);
                probe.Outbox.Release(transmit);
            }
        }
    }
}
