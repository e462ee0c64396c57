using SipNat.Fuzz.Engine;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A TURN allocation before a server that answers wrongly, late, with challenges, errors and lies.</summary>
internal sealed class TurnAllocationTarget : IFuzzTarget
{
    private const int MaxSentAtOnce = 512;
    private const int MaxRemembered = 64;
    private static readonly FlowId Flow = new(1);
    private static readonly TransportAddress Server = TransportAddress.Parse("198.51.100.1:3478");

    private static readonly TransportAddress[] Peers =
        Addresses.Of("203.0.113.1:4000", "203.0.113.1:4001", "203.0.113.2:4000", "[2001:db8::2]:4000", "0.0.0.0:0", "224.0.0.1:5");

    private static readonly int[] Codes = [300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 500, 508];

    public string Name => "turn-allocation";

    public string Promise => "nothing is due after a timeout; what is sent goes to a server, is bounded, and readable; packets come from wanted peers";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 768);

    public long AllowedBytes(int inputLength) => (256 * 1024) + (8 * 1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var options = new TurnServerOptions
        {
            Server = Server,
            Transport = script.NextBool() ? TransportProtocol.Tcp : TransportProtocol.Udp,
            Credentials = script.Next(8) == 0 ? null : new("user", "password"),
            KeepaliveBound = TimeSpan.FromMilliseconds(100 + (script.NextByte() * 200)),
        };
        return new Exchange(new(Flow, options, new Random(script.NextByte())), options).Play(script);
    }

    private sealed class Exchange(TurnAllocation allocation, TurnServerOptions options)
    {
        private static readonly byte[] Key = StunIntegrity.LongTermKey("user", "realm", "password");

        private readonly HashSet<TransportAddress> _wanted = [];
        private readonly HashSet<TransportAddress> _bound = [];
        private readonly List<(StunMethod Method, StunTransactionId Id, bool IsSigned)> _asked = [];
        private Instant _now = new(1);
        private int _outcome;

        public int Play(Script script)
        {
            allocation.Start(_now);
            Drain();
            while (!script.IsOver) Step(ref script);

            allocation.HandleFlow(_now, Flow, new(FlowChangeKind.Closed, options.Transport, default, default));
            allocation.HandleTimeout(_now);
            Drain();
            Invariant.Holds(allocation.Deadline is null || allocation.State is TurnAllocationState.Redirected, "Nothing is due after the end.", $"{allocation.State}");
            Invariant.Holds(allocation.Outbox.Rented == 0, "Everything rented was given back.");
            return HashCode.Combine(_outcome, allocation.Relayed is null, options.Transport, allocation.Discarded > 0);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(12))
            {
                case 0 or 1:
                    if (allocation.Deadline is { } due && due > _now) _now = due;
                    break;
                case 2:
                    _now += TimeSpan.FromMilliseconds(script.NextUInt16());
                    break;
                case 3:
                    _now += TimeSpan.FromMinutes(script.NextByte());
                    break;
                case 4:
                    Give(script.NextBytes(script.NextByte()));
                    break;
                case 5:
                    Want(Peers[script.Next(Peers.Length)], script.Next(3));
                    break;
                case 6:
                    _ = allocation.TrySend(_now, Peers[script.Next(Peers.Length)], script.NextBytes(script.NextByte()));
                    break;
                case 7:
                    Relay(ref script);
                    break;
                case 8 when script.Next(8) == 0:
                    allocation.Release(_now);
                    allocation.Start(_now);
                    break;
                default:
                    Answer(ref script);
                    break;
            }

            Timeout();
        }

        private void Want(TransportAddress peer, int how)
        {
            if (how == 0)
            {
                allocation.Forget(peer);
                _bound.Remove(peer);
                if (!_bound.Any(peer.HasSameAddress)) _wanted.Remove(peer.WithPort(0));
            }
            else if (how == 1 ? allocation.Permit(_now, peer) : allocation.Bind(_now, peer))
            {
                _wanted.Add(peer.WithPort(0));
                if (how == 2) _bound.Add(peer);
            }
        }

        private void Relay(ref Script script)
        {
            if (script.NextBool())
            {
                Give([0x40, script.NextByte(), 0, 2, 1, 2, 0, 0]);
                return;
            }

            var writer = new StunWriter(new byte[64], StunClass.Indication, StunMethod.Data, new(1, script.NextByte()));
            writer.AddAddress(StunAttributeType.XorPeerAddress, Peers[script.Next(Peers.Length)]);
            if (script.Next(4) != 0) writer.Add(StunAttributeType.Data, [1, 2, 3]);
            Give(writer.Written);
        }

        private void Answer(ref Script script)
        {
            if (_asked.Count == 0) return;

            var (method, id, isSigned) = _asked[^(1 + script.Next(_asked.Count))];
            var isError = script.Next(3) == 0 || (!isSigned && script.Next(4) != 0);
            var code = isSigned || script.Next(4) == 0 ? Codes[script.Next(Codes.Length)] : 401;
            var writer = new StunWriter(new byte[512], isError ? StunClass.Error : StunClass.Success, method, id);
            if (isError) writer.AddErrorCode(code, "No");
            if (isError && code is 401 or 438) Challenge(ref writer, script.NextByte());
            if (isError && code == 300) writer.AddAddress(StunAttributeType.AlternateServer, TransportAddress.Parse($"198.51.100.{script.Next(4)}:3478"));
            if (!isError) Grant(ref writer, ref script);
            if (isSigned && script.Next(8) != 0) writer.AddIntegrity(Key);
            var message = writer.Written.ToArray();
            if (script.Next(8) == 0) message[script.Next(Math.Min(256, message.Length))] ^= (byte)(1 << script.Next(8));
            Give(message);
        }

        private static void Challenge(ref StunWriter writer, byte kind)
        {
            writer.AddText(StunAttributeType.Realm, kind % 16 == 0 ? "elsewhere" : "realm");
            writer.AddText(StunAttributeType.Nonce, (kind % 8) switch { 0 => "obMatJos2gAAA", 1 => "obMatJos2QAAA", _ => $"nonce-{kind}" });
            if (kind % 8 == 0 && kind % 3 != 0) writer.Add(StunAttributeType.PasswordAlgorithms, [0, kind, 0, 0]);
        }

        private static void Grant(ref StunWriter writer, ref Script script)
        {
            writer.AddAddress(StunAttributeType.XorRelayedAddress, script.Next(8) == 0 ? Peers[script.Next(Peers.Length)] : Server.WithPort(50_000));
            writer.AddAddress(StunAttributeType.XorMappedAddress, TransportAddress.Parse("203.0.113.9:9"));
            writer.AddUInt32(StunAttributeType.Lifetime, script.Next(4) == 0 ? script.NextUInt32() : 600);
        }

        private void Give(ReadOnlySpan<byte> datagram)
        {
            if (allocation.TryHandle(_now, Flow, allocation.Server, datagram, out var packet) is not TurnInput.Packet) return;

            Invariant.Inside(datagram, packet.Payload, "payload");
            Invariant.Holds(_wanted.Contains(packet.Peer.WithPort(0)), "A packet comes from a wanted peer.", $"{packet.Peer}");
            _outcome |= 1 << 30;
        }

        private void Timeout()
        {
            Drain();
            allocation.HandleTimeout(_now);
            Invariant.Holds(allocation.Deadline is null || allocation.Deadline > _now, "Nothing is due after a timeout.");
            Invariant.Holds((allocation.State is TurnAllocationState.Allocated) == allocation.Relayed is not null, "What is allocated has an address.");
            Drain();
        }

        private void Drain()
        {
            Invariant.Holds(allocation.Outbox.Count <= MaxSentAtOnce, "What one step sends is bounded.");
            while (allocation.Outbox.TryTake(out var transmit))
            {
                Invariant.Holds(transmit.Flow == Flow && transmit.Destination is { Port: not 0, IsLoopback: false, IsMulticastOrBroadcast: false }, "What is sent goes to where a server can be.");
                if (StunMessage.TryRead(transmit.Payload, out var request, out _)) Remember(request);
                else Invariant.Holds(ChannelData.TryRead(transmit.Payload, out _, out _), "What is sent is STUN or ChannelData.");
                allocation.Outbox.Release(transmit);
            }

            while (allocation.TryTake(out var happened))
            {
                _ = happened.Explain();
                _outcome |= 1 << (happened.GetType().Name.Length % 29);
            }
        }

        private void Remember(StunMessage request)
        {
            if (request.Class is not StunClass.Request) return;

            _asked.Add((request.Method, request.TransactionId, request.TryGet(StunAttributeType.Nonce, out _)));
            if (_asked.Count > MaxRemembered) _asked.RemoveAt(0);
        }
    }
}
