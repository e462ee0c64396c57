using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>The transactions of three flows, whose user and whose peers do what they like.</summary>
internal sealed class TransactionTarget : IFuzzTarget
{
    private const int MaxTransactions = 24;
    private const int ReservedForDialogs = 8;

    public string Name => "transactions";

    public string Promise => "nothing is due after a timeout; transactions keep their cap and all end; what is sent can be read and was rented once";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 512);

    public long AllowedBytes(int inputLength) => (256 * 1024) + (16_384L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        return new Exchange(script.NextByte()).Play(script);
    }

    private sealed class Exchange
    {
        private const int MaxRemembered = 64;
        private const int MaxOurs = 512;

        private static readonly FlowId[] Flows = [new(1), new(2), new(3), new(4)];
        private static readonly TransportAddress[] Peers = Addresses.Of("192.0.2.2:5060", "192.0.2.3:40000", "[2001:db8::3]:5060");
        private static readonly string[] Methods = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "REGISTER", "invite"];
        private static readonly SipMethod[] OurMethods = [SipMethod.Invite, SipMethod.Bye, SipMethod.Options, SipMethod.Update];
        private static readonly int[] Statuses = [100, 180, 200, 202, 302, 404, 481, 487, 491, 500, 503, 600];

        private readonly TransactionLayer _layer;
        private readonly Random _random;
        private readonly Mutator _mutator;
        private readonly List<TransactionId> _open = [];
        private readonly List<byte[]> _sent = [];
        private readonly SipHeaderIndex _index = new();
        private Instant _now = new(1);
        private uint _sequence = 1;
        private int _ours;
        private int _outcome;

        public Exchange(int seed)
        {
            _random = new(seed);
            _mutator = new(_random, SipSeeds.Tokens, maxLength: 8192);
            _layer = new(new() { MaxTransactions = MaxTransactions, ReservedForDialogs = ReservedForDialogs, KnownNetworks = [NetworkPrefix.Parse("192.0.2.0/24")], Product = "SipNat" }, _random);
            _layer.HandleFlow(_now, Flows[0], new(FlowChangeKind.Opened, TransportProtocol.Udp, Peers[0].WithPort(5062), default));
            _layer.HandleFlow(_now, Flows[1], new(FlowChangeKind.Opened, TransportProtocol.Tcp, Peers[0].WithPort(5062), Peers[1]));
        }

        public int Play(Script script)
        {
            while (!script.IsOver)
            {
                Step(ref script);
                Drain();
            }

            for (var rounds = 0; _layer.Deadline is { } due; rounds++)
            {
                Invariant.Holds(rounds < 20_000, "All transactions end.");
                Pass(due);
                Drain();
            }

            Invariant.Holds(_layer.Count <= _ours + _open.Count, "What has an answer ends by itself.", $"{_layer.Count} are left");
            Invariant.Holds(_layer.Outbox.Rented == 0, "Everything rented was given back.");
            var counters = _layer.Counters;
            return HashCode.Combine(
                _outcome, counters.Resends > 0, counters.RequestRetransmissions > 0, counters.StrayResponses > 0, counters.Rejected > 0, counters.Overload > 0, counters.LateAnswers > 0, counters.Malformed > 0);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(12))
            {
                case 0 or 1 or 2 or 3:
                    Receive(ref script, Request(ref script));
                    break;
                case 4 or 5:
                    Receive(ref script, Answer(ref script));
                    break;
                case 6:
                    Pass(_now + TimeSpan.FromMilliseconds(script.NextUInt16()));
                    break;
                case 7:
                    if (_layer.Deadline is { } due && due > _now) Pass(due);
                    break;
                case 8:
                    Flow(ref script);
                    break;
                case 9:
                    Send(ref script);
                    break;
                default:
                    Respond(ref script);
                    break;
            }
        }

        private void Receive(ref Script script, byte[] message)
        {
            if (script.Next(4) == 0) message = _mutator.Mutate(message, _sent.Count > 0 ? _sent[^1] : message);
            _layer.HandleMessage(_now, Flows[script.Next(Flows.Length)], Peers[script.Next(Peers.Length)], message);
        }

        // Few branches, calls and numbers, so that messages meet.
        private static byte[] Request(ref Script script)
        {
            var (method, branch, call) = (Methods[script.Next(Methods.Length)], script.Next(6), script.Next(3));
            return Encoding.ASCII.GetBytes(
                $"{method} sip:r@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2{(script.NextBool() ? ";rport" : "")};branch={(branch < 4 ? "z9hG4bK" : "")}{branch}\r\n"
                + $"From: <sip:a@b>{(script.Next(4) == 0 ? "" : ";tag=f")}\r\nTo: <sip:c@d>{(script.NextBool() ? ";tag=t" : "")}\r\nCall-ID: {call}\r\nCSeq: {1 + script.Next(3)} {method}\r\nContent-Length: 0\r\n\r\n");
        }

        // The answer to something that was sent, or to anything.
        private byte[] Answer(ref Script script)
        {
            var status = Statuses[script.Next(Statuses.Length)];
            if (_sent.Count == 0) return Encoding.ASCII.GetBytes($"SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n");

            var request = Encoding.UTF8.GetString(_sent[^(1 + script.Next(_sent.Count))]);
            var lines = request.Split("\r\n").Skip(1).Where(line => line.StartsWith("Via", StringComparison.Ordinal) || line.StartsWith("From", StringComparison.Ordinal)
                || line.StartsWith("To", StringComparison.Ordinal) || line.StartsWith("Call-ID", StringComparison.Ordinal) || line.StartsWith("CSeq", StringComparison.Ordinal));
            return Encoding.UTF8.GetBytes($"SIP/2.0 {status} X\r\n{string.Join("\r\n", lines)}\r\nContent-Length: 0\r\n\r\n");
        }

        private void Flow(ref Script script)
        {
            var kind = (FlowChangeKind)script.Next(4);
            var transport = (TransportProtocol)script.Next(5);
            _layer.HandleFlow(_now, Flows[1 + script.Next(Flows.Length - 1)], new(kind, transport, Peers[0].WithPort(5062), Peers[script.Next(Peers.Length)]));
            _layer.SetAdvertised(Flows[0], script.NextBool() ? Peers[0] : default);
        }

        private void Send(ref Script script)
        {
            if (_ours >= MaxOurs) return;

            _ours++;
            var id = _layer.Request(_now, Flows[script.Next(Flows.Length)], Peers[script.Next(Peers.Length)], new()
            {
                Method = OurMethods[script.Next(OurMethods.Length)],
                Uri = "sip:c@192.0.2.2",
                From = "<sip:r@192.0.2.1>;tag=r",
                To = "<sip:c@192.0.2.2>;tag=c",
                CallId = "ours",
                CSeq = _sequence++,
            });
            if (script.Next(4) == 0) _layer.Cancel(_now, id);
        }

        private void Respond(ref Script script)
        {
            if (_open.Count == 0) return;

            var id = _open[script.Next(_open.Count)];
            var status = Statuses[script.Next(Statuses.Length)];
            if (script.Next(8) == 0) _layer.Dismiss(id, script.NextBool() ? new(403) : null);
            else _layer.Respond(_now, id, new(status));
            if (script.Next(8) == 0) _layer.Acknowledged(_now, id);
            if (status >= 200) _open.Remove(id);
        }

        private void Pass(Instant to)
        {
            _now = to;
            _layer.HandleTimeout(_now);
            Invariant.Holds(_layer.Deadline is null || _layer.Deadline > _now, "Nothing is due after a timeout.");
        }

        private void Drain()
        {
            while (_layer.TryTake(out var happened))
            {
                _outcome |= 1 << (happened.GetType().Name.Length % 31);
                if (happened is TransactionEvent.Request request) _open.Add(request.Transaction);
                if (happened is TransactionEvent.Cancelled(var invite)) _layer.Respond(_now, invite, new(487));
            }

            Invariant.Holds(_layer.Count <= MaxTransactions + ReservedForDialogs + (2 * _ours), "Transactions keep their cap.", $"{_layer.Count}");
            while (_layer.Outbox.TryTake(out var transmit))
            {
                Check(transmit);
                _layer.Outbox.Release(transmit);
            }
        }

        private void Check(Transmit transmit)
        {
            Invariant.Holds(!transmit.Destination.IsNone && transmit.Destination.Port != 0, "What is sent has a destination.", transmit.Destination.ToString());
            if (!SipMessage.TryRead(transmit.Payload, _index, out var message, out _) || !message.IsRequest) return;

            if (_sent.Count == MaxRemembered) _sent.RemoveAt(0);
            _sent.Add(transmit.Payload.ToArray());
        }
    }
}
