using SipNat.Endpoint.Dns;
using SipNat.Fuzz.Engine;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A resolver among servers that answer late, wrongly, for each other or not at all.</summary>
internal sealed class DnsResolverTarget : IFuzzTarget
{
    private const int MaxFlows = 16;

    private static readonly string[] Names = ["a.ex", "b.ex", "a", "www.a.ex", "", "x y"];
    private static readonly TransportAddress[] Servers = Addresses.Of("192.0.2.1:53", "192.0.2.2:53", "[2001:db8::53]:53");

    public string Name => "dns-resolver";

    public string Promise => "nothing is due after a timeout; every question has one result in the end; what is asked goes to a server, and is bounded";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 512);

    public long AllowedBytes(int inputLength) => (256 * 1024) + (16L * 1024 * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var options = new DnsResolverOptions { Servers = Servers[..script.Next(Servers.Length + 1)], SearchDomains = script.NextBool() ? ["ex"] : [], Attempts = 1 + script.Next(3) };
        return new Exchange(new DnsResolver(options, new Random(script.NextByte()))).Play(script);
    }

    private sealed class Exchange(DnsResolver resolver)
    {
        private readonly List<FlowRequest> _connecting = [];
        private readonly List<(FlowId Flow, FlowRequest Request, byte[] Sent)> _open = [];
        private Instant _now = new(1);
        private int _flows;
        private int _questions;
        private int _results;
        private int _outcome;

        public int Play(Script script)
        {
            while (!script.IsOver) Step(ref script);

            while (resolver.Deadline is { } due)
            {
                _now = due > _now ? due : _now;
                Timeout();
            }

            Invariant.Holds(_questions == _results, "Every question has one result in the end.");
            Invariant.Holds(resolver.Outbox.Rented == 0, "Everything rented was given back.");
            return HashCode.Combine(_outcome, Math.Min(_results, 8), resolver.Discarded > 0);
        }

        private void Step(ref Script script)
        {
            switch (script.Next(8))
            {
                case 0:
                    _questions++;
                    resolver.Resolve(_now, Names[script.Next(Names.Length)], script.NextBool() ? DnsType.A : DnsType.Srv);
                    break;
                case 1:
                    _now += TimeSpan.FromMilliseconds(script.NextUInt16());
                    break;
                case 2 or 3 when _connecting.Count > 0:
                    Open(script.Next(8) == 0);
                    break;
                case 4 when _open.Count > 0:
                    var broken = _open[script.Next(_open.Count)];
                    resolver.HandleFlow(_now, broken.Flow, new(FlowChangeKind.Closed, broken.Request.Transport, default, broken.Request.Remote));
                    break;
                default:
                    Answer(ref script);
                    break;
            }

            Timeout();
        }

        private void Open(bool isRefused)
        {
            var request = _connecting[0];
            _connecting.RemoveAt(0);
            var flow = new FlowId(++_flows);
            if (!isRefused) _open.Add((flow, request, []));
            if (_open.Count > MaxFlows) _open.RemoveAt(0);
            resolver.HandleFlow(_now, flow, new(isRefused ? FlowChangeKind.Refused : FlowChangeKind.Opened, request.Transport, default, request.Remote));
        }

        private void Answer(ref Script script)
        {
            if (_open.Count == 0) return;

            var (flow, request, sent) = _open[^(1 + script.Next(_open.Count))];
            var from = script.Next(8) == 0 ? Servers[script.Next(Servers.Length)] : request.Remote;
            var isTcp = request.Transport is TransportProtocol.Tcp;
            var query = isTcp && sent.Length > 2 ? sent[2..] : sent;
            if (query.Length < DnsMessage.HeaderLength) return;

            // The question as it was asked, and then records of which the names may or may not be the question's.
            var answer = (byte[])[.. query, .. script.Next(3) == 0 ? script.NextBytes(script.NextByte()) : DnsMessageTarget.Response.AsSpan(22..)];
            (answer[2], answer[3]) = ((byte)(0x81 | (script.Next(4) == 0 ? 2 : 0)), (byte)(0x80 | (script.Next(3) == 0 ? script.Next(16) : 0)));
            (answer[7], answer[9]) = ((byte)script.Next(6), (byte)script.Next(2));
            if (script.Next(4) == 0) answer[script.Next(Math.Min(answer.Length, 256))] ^= (byte)(1 << script.Next(8));
            resolver.HandleDatagram(_now, flow, from, isTcp ? [(byte)(answer.Length >> 8), (byte)answer.Length, .. answer] : answer);
        }

        private void Timeout()
        {
            resolver.HandleTimeout(_now);
            Invariant.Holds(resolver.Deadline is null || resolver.Deadline > _now, "Nothing is due after a timeout.");
            Drain();
        }

        private void Drain()
        {
            while (resolver.TryTakeRequest(out var request))
            {
                if (request.Kind is FlowRequestKind.Close) _open.RemoveAll(open => open.Flow == request.Flow);
                else _connecting.Add(request);
            }

            while (resolver.Outbox.TryTake(out var transmit))
            {
                Invariant.Holds(Servers.Contains(transmit.Destination), "What is asked goes to a server.");
                Invariant.Holds(transmit.Payload.Length <= DnsMessage.MaxQueryLength + 2, "What is asked is bounded.");
                var place = _open.FindIndex(open => open.Flow == transmit.Flow);
                if (place >= 0) _open[place] = _open[place] with { Sent = transmit.Payload.ToArray() };
                resolver.Outbox.Release(transmit);
            }

            while (resolver.TryTakeResult(out var result))
            {
                _results++;
                _outcome |= 1 << (int)result.Outcome;
                Invariant.Holds(result.Outcome is DnsOutcome.Answered == result.Records.Count > 0, "An answer has records, and nothing else has.");
            }
        }
    }
}
