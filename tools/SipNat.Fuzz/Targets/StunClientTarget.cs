using SipNat.Fuzz.Engine;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A binding client among servers that answer late, wrongly, for each other or not at all.</summary>
internal sealed class StunClientTarget : IFuzzTarget
{
    private const int MaxRemembered = 32;
    private static readonly FlowId Flow = new(1);
    private static readonly TransportAddress Local = TransportAddress.Parse("10.0.0.1:10000");

    private static readonly TransportAddress[] Servers =
        Addresses.Of("198.51.100.1:3478", "198.51.100.2:3478", "198.51.100.1:3479", "[2001:db8::2]:3478", "198.51.100.4:3478");

    public string Name => "stun-client";

    public string Promise => "nothing is due after a timeout; a mapping is an address with a port; what is sent goes to a server, and is bounded";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 512);

    public long AllowedBytes(int inputLength) => (64 * 1024) + (1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var servers = Servers[..script.Next(Servers.Length + 1)];
        var client = new StunBindingClient(
            Flow,
            Local,
            new() { Servers = servers, KeepaliveBound = TimeSpan.FromMilliseconds(1 + (script.NextByte() * 100)) },
            new Random(script.NextByte()));
        return new Exchange(client, servers).Play(script);
    }

    private sealed class Exchange(StunBindingClient client, TransportAddress[] servers)
    {
        private readonly Outbox _outbox = new();
        private readonly List<(TransportAddress Server, StunTransactionId Id)> _asked = [];
        private Instant _now = new(1);
        private int _outcome;

        public int Play(Script script)
        {
            client.Start(_now);
            while (!script.IsOver) Step(ref script);

            client.Stop();
            Invariant.Holds(client.Deadline is null, "Nothing is due after the end.");
            Invariant.Holds(_outbox.Rented == 0, "Everything rented was given back.");
            return HashCode.Combine(_outcome, client.VariesByDestination, client.Mapped is null, servers.Length, client.ForeignResponses > 0);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(8))
            {
                case 0 or 1 or 2:
                    if (client.Deadline is { } due && due > _now) _now = due;
                    break;
                case 3:
                    _now += TimeSpan.FromMilliseconds(script.NextUInt16());
                    break;
                case 4:
                    _now += TimeSpan.FromMinutes(script.NextByte());
                    break;
                case 5:
                    Give(Servers[script.Next(Servers.Length)], script.NextBytes(script.NextByte()));
                    break;
                default:
                    Answer(ref script);
                    break;
            }

            Timeout();
        }

        private void Answer(ref Script script)
        {
            if (_asked.Count == 0) return;

            var (server, id) = _asked[^(1 + script.Next(_asked.Count))];
            var from = script.Next(4) == 0 ? Servers[script.Next(Servers.Length)] : server;
            var mapped = new TransportAddress([203, 0, (byte)script.Next(3), script.NextByte()], script.NextByte() * 257);
            var message = StunMessageTarget.Answer(id, mapped);
            if (script.Next(4) == 0) message[script.Next(message.Length)] ^= (byte)(1 << script.Next(8));
            if (script.Next(8) == 0) message[1] |= 0x10;
            Give(from, message);
        }

        private void Give(TransportAddress from, ReadOnlySpan<byte> datagram)
        {
            client.TryHandle(_now, from, datagram);
            if (client.Mapped is { } mapped) Invariant.Holds(mapped.Port != 0 && !mapped.IsNone && !mapped.IsUnspecified, "A mapping is an address with a port.");
        }

        private void Timeout()
        {
            client.HandleTimeout(_now, _outbox);
            Invariant.Holds(client.Deadline is null || client.Deadline > _now, "Nothing is due after a timeout.");
            Invariant.Holds(_outbox.Count <= 2 * StunBindingOptions.MaxServers, "What one timeout sends is bounded.");
            while (_outbox.TryTake(out var transmit))
            {
                Invariant.Holds(servers.Contains(transmit.Destination), "What is sent goes to a server.");
                Invariant.Holds(StunMessage.TryRead(transmit.Payload, out var request, out _), "What is sent is STUN.");
                _asked.Add((transmit.Destination, request.TransactionId));
                if (_asked.Count > MaxRemembered) _asked.RemoveAt(0);
                _outbox.Release(transmit);
            }

            while (client.TryTake(out var happened))
            {
                _ = happened.Explain();
                _outcome |= 1 << (happened.GetType().Name.Length % 31);
            }
        }
    }
}
