using SipNat.Fuzz.Engine;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>An agent whose peer, and strangers beside it, describe, check, answer, restart and fall silent as they like.</summary>
internal sealed class IceAgentTarget : IFuzzTarget
{
    private const int MaxRemembered = 32;
    private static readonly IceCredentials PeerCredentials = new("peer", "asd88fgpdd777uzjYhagZg");
    private static readonly IceCredentials OtherCredentials = new("other", "2fUZzjYhagZgasd88fgpdd7");

    private static readonly TransportAddress[] Locals = Addresses.Of("192.0.2.1:4000", "192.0.2.1:4001", "[2001:db8::1]:4000", "198.51.100.9:50000");

    private static readonly TransportAddress[] Peers =
        Addresses.Of("198.51.100.1:5000", "198.51.100.1:5001", "198.51.100.2:5000", "[2001:db8::2]:5000", "10.0.0.1:5000", "127.0.0.1:5000", "224.0.0.1:5000", "198.51.100.3:0");

    public string Name => "ice-agent";

    public string Promise => "nothing is due after a timeout; checks go only to addresses that can be a peer's, within the pace; a path was answered with the peer's password";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 512);

    public long AllowedBytes(int inputLength) => (512 * 1024) + (16L * 1024 * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var options = new IceOptions
        {
            Components = 1 + script.Next(2),
            IsLite = script.Next(8) == 0,
            IsRelayOnly = script.Next(8) == 0,
            ChecksPrivateAddresses = script.NextBool(),
        };
        return new Meeting(options, script.NextBool() ? IceRole.Controlling : IceRole.Controlled, script.NextByte()).Play(script);
    }

    private sealed class Meeting(IceOptions options, IceRole role, int seed)
    {
        private readonly IceAgent _agent = new(options, role, new Random(seed));
        private readonly List<(FlowId Flow, TransportAddress To, StunTransactionId Id)> _asked = [];
        private readonly HashSet<TransportAddress> _answered = [];
        private Instant _now = new(1);
        private int _outcome;

        public int Play(Script script)
        {
            for (var i = 0; i < Locals.Length; i++)
            {
                var component = 1 + (i % options.Components);
                if (i == Locals.Length - 1) _agent.AddRelayed(_now, new(100), component, Locals[i], Locals[0], Peers[0]);
                else _agent.AddHost(_now, new(i + 1), component, Locals[i]);
            }

            while (!script.IsOver) Step(ref script);

            Invariant.Holds(_agent.Outbox.Rented == 0, "Everything rented was given back.");
            return HashCode.Combine(_outcome, _agent.State, _agent.Role, _agent.PathOf(1) is null);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(12))
            {
                case 0 or 1 or 2:
                    if (_agent.Deadline is { } due && due > _now) _now = due;
                    break;
                case 3:
                    _now += TimeSpan.FromMilliseconds(script.NextUInt16());
                    break;
                case 4:
                    Describe(ref script);
                    break;
                case 5:
                    _agent.SetServerReflexive(new(1 + script.Next(4)), Peers[script.Next(Peers.Length)], Peers[0]);
                    break;
                case 6:
                    if (script.Next(4) == 0) _agent.Restart();
                    else if (script.Next(4) == 0) _agent.MultiplexRtcp(_now);
                    else _agent.HandleSilence(_now, 1 + script.Next(2));
                    break;
                case 7 or 8:
                    Check(ref script);
                    break;
                case 9:
                    Give(FlowOf(ref script), Peers[script.Next(Peers.Length)], script.NextBytes(script.NextByte()));
                    break;
                default:
                    Answer(ref script);
                    break;
            }

            Timeout();
        }

        private void Describe(ref Script script)
        {
            var reader = new IceDescriptionReader();
            var credentials = script.Next(4) == 0 ? OtherCredentials : PeerCredentials;
            reader.TryAdd("ice-ufrag", credentials.UserFragment);
            reader.TryAdd("ice-pwd", credentials.Password);
            if (script.Next(16) == 0) reader.TryAdd("ice-lite", "");
            for (var left = script.Next(200); left > 0; left--)
            {
                var peer = Peers[script.Next(Peers.Length)];
                var type = (CandidateType)script.Next(4);
                var port = left > 16 ? 1024 + left : peer.Port;
                var candidate = new Candidate($"{left % 5}", 1 + (left % 2), 1 + (uint)script.NextUInt16(), peer.WithPort(port), type);
                reader.TryAdd("candidate", CandidateText.Write(candidate));
            }

            if (reader.TryRead(out var description)) _agent.SetRemote(_now, description!);
        }

        private void Check(ref Script script)
        {
            var buffer = new byte[256];
            var credentials = _agent.Describe().Credentials;
            var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, new(1, script.NextByte()));
            writer.AddText(StunAttributeType.Username, $"{credentials.UserFragment}:{PeerCredentials.UserFragment}");
            if (script.Next(8) != 0) writer.AddUInt32(StunAttributeType.Priority, 1 + (uint)script.NextUInt16());
            if (script.Next(8) != 0) writer.Add(script.NextBool() ? StunAttributeType.IceControlling : StunAttributeType.IceControlled, [script.NextByte(), 0, 0, 0, 0, 0, 0, 1]);
            if (script.NextBool()) writer.Add(StunAttributeType.UseCandidate, []);
            writer.AddIntegrity(StunIntegrity.ShortTermKey(credentials.Password));
            writer.AddFingerprint();
            Give(FlowOf(ref script), Peers[script.Next(Peers.Length)], writer.Written);
        }

        private void Answer(ref Script script)
        {
            if (_asked.Count == 0) return;

            var (flow, to, id) = _asked[^(1 + script.Next(_asked.Count))];
            var from = script.Next(4) == 0 ? Peers[script.Next(Peers.Length)] : to;
            var (isError, isForged) = (script.Next(6) == 0, script.Next(6) == 0);
            var buffer = new byte[256];
            var writer = new StunWriter(buffer, isError ? StunClass.Error : StunClass.Success, StunMethod.Binding, id);
            if (isError) writer.AddErrorCode(script.NextBool() ? 487 : 400, "no");
            else writer.AddAddress(StunAttributeType.XorMappedAddress, script.NextBool() ? Locals[script.Next(Locals.Length)] : Peers[script.Next(Peers.Length)]);
            var password = isForged ? "nobody's password" : script.Next(4) == 0 ? OtherCredentials.Password : PeerCredentials.Password;
            writer.AddIntegrity(StunIntegrity.ShortTermKey(password));
            if (!isForged && !isError && from == to) _answered.Add(to);
            Give(flow, from, writer.Written);
        }

        private void Give(FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
        {
            _agent.TryHandle(_now, flow, from, datagram);
            Drain();
        }

        private void Timeout()
        {
            _agent.HandleTimeout(_now);
            Invariant.Holds(_agent.Deadline is null || _agent.Deadline > _now, "Nothing is due after a timeout.");
            Drain();
        }

        private void Drain()
        {
            Invariant.Holds(_agent.Outbox.Count <= CheckBound, "What one input sends is bounded.");
            while (_agent.Outbox.TryTake(out var transmit))
            {
                Invariant.Holds(StunMessage.TryRead(transmit.Payload, out var sent, out _), "What is sent is STUN.");
                if (sent.Class is StunClass.Request)
                {
                    var to = transmit.Destination;
                    Invariant.Holds(!options.IsLite, "A lite agent sends no checks.");
                    Invariant.Holds(to is { Port: not 0, IsMulticastOrBroadcast: false, IsLoopback: false }, "Checks go where a peer can be.", $"{to}");
                    Invariant.Holds(options.ChecksPrivateAddresses || !to.IsPrivate, "Private addresses are left alone where they have to be.", $"{to}");
                    _asked.Add((transmit.Flow, to, sent.TransactionId));
                    if (_asked.Count > MaxRemembered) _asked.RemoveAt(0);
                }

                _agent.Outbox.Release(transmit);
            }

            while (_agent.TryTake(out var happened))
            {
                _ = happened.Explain();
                _outcome |= 1 << (happened.GetType().Name.Length % 31);
            }

            for (var component = 1; component <= IceOptions.MaxComponents; component++)
            {
                if (options.IsLite || _agent.PathOf(component) is not { } path) continue;
                Invariant.Holds(_answered.Contains(path.Remote), "A path was answered with the peer's password.", $"{path}");
            }
        }

        // Every pair may repeat its check after a long silence, and a few answers and keepalives come with it.
        private const int CheckBound = 110;

        private static FlowId FlowOf(ref Script script) => new(script.Next(5) is var i and < 4 ? i + 1 : 100);
    }
}
