using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>
/// Measures what a NAT does, for one address family, with STUN servers of any kind (RFC 5780, RFC 4787). Each property is
/// sampled on several sockets and every request repeated, so that a lost packet never changes a verdict: at worst it
/// leaves one out.
/// </summary>
/// <remarks>
/// The shell opens <see cref="SocketCount"/> UDP sockets on one local address and ports of their own; the measurement
/// begins with the last of them. The first ones talk to all servers. Those for filtering each talk to one address of one
/// server alone, as a socket that has contacted others has let them in. OTHER-ADDRESS is followed only to an address as
/// public as the server's.
/// </remarks>
public sealed class NatBehaviourProbe : IProtocolCore
{
    /// <summary>Sockets on which the mapping is sampled.</summary>
    public const int MappingSamples = 3;

    /// <summary>Sockets on which the filter is sampled: one more than have to agree.</summary>
    public const int FilteringSamples = 4;

    // CHANGE-REQUEST (RFC 5780 §7.2): change IP, change port.
    private const uint ChangeAddress = 0x4;
    private const uint ChangePort = 0x2;

    // UDP payloads above this need fragments where a packet has 1500 bytes.
    private const int LargestUnfragmented = 1472;

    // RFC 8489 §14.14.
    private const int LongestSoftware = 763;
    private const int LongestRequest = 1600;

    private readonly NatProbeOptions _options;
    private readonly Random _random;
    private readonly List<(FlowId Flow, TransportAddress Local)> _sockets = [];
    private readonly List<ProbeRequest> _requests = [];
    private Instant _nextStart;
    private TransportAddress _primary;
    private TransportAddress _alternate;
    private bool _isHairpinAsked;
    private int _foreignResponses;

    /// <param name="options">Whom to ask.</param>
    /// <param name="random">Transaction ids come from it.</param>
    public NatBehaviourProbe(NatProbeOptions options, Random random)
    {
        if (options.Servers.Count == 0) throw new ArgumentException("There is nobody to ask.", nameof(options));

        (_options, _random) = (options, random);
        SocketCount = options.IsFast ? MappingSamples : MappingSamples + FilteringSamples;
    }

    /// <summary>How many UDP sockets have to be opened for it.</summary>
    public int SocketCount { get; }

    /// <summary>What was found; null until everything has been answered or given up.</summary>
    public NatMeasurement? Result { get; private set; }

    /// <summary>Requests that were answered or given up, and all that are known to be needed so far; for people who wait.</summary>
    public (int Done, int Known) Progress => (_requests.Count(request => request.IsOver), _requests.Count);

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var request in _requests) deadline = Instant.Earlier(deadline, request.Transaction.Deadline);
            return deadline;
        }
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened || _sockets.Count == SocketCount) return;

        _sockets.Add((flow, change.Local));
        if (_sockets.Count < SocketCount) return;

        _nextStart = now;
        for (var server = 0; server < Math.Min(_options.Servers.Count, NatProbeOptions.MaxServers); server++)
        {
            for (var socket = 0; socket < MappingSamples; socket++) Ask(now, socket, ProbePurpose.Map, _options.Servers[server]);
        }
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryRead(datagram, out var message, out _) || message.Method is not StunMethod.Binding) return;
        if (Find(message.TransactionId) is not { } request) return;

        if (message.Class is StunClass.Request) HandleHairpin(flow, request);
        else if (message.Class is StunClass.Success or StunClass.Error) HandleResponse(now, flow, from, message, request);
        CompleteIfOver();
    }

    public void HandleTimeout(Instant now)
    {
        foreach (var request in _requests) request.Transaction.HandleTimeout(now, Outbox);
        CompleteIfOver();
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private ProbeRequest? Find(StunTransactionId id)
    {
        foreach (var request in _requests)
        {
            if (request.Transaction.IsAwaiting(id)) return request;
        }

        return null;
    }

    // Our own request, at the socket that it was meant for: through the NAT and back in.
    private void HandleHairpin(FlowId flow, ProbeRequest request)
    {
        if (request.Purpose is ProbePurpose.Hairpin && flow != _sockets[request.Socket].Flow) request.HandleAnswer(default);
    }

    private void HandleResponse(Instant now, FlowId flow, TransportAddress from, StunMessage message, ProbeRequest request)
    {
        if (request.Purpose is ProbePurpose.FragmentOut or ProbePurpose.FragmentIn)
        {
            HandleFragment(flow, from, message, request);
            return;
        }

        var isRefusal = message.Class is StunClass.Error || (from == request.Server && from != request.Origin);
        if (flow != _sockets[request.Socket].Flow || request.Purpose is ProbePurpose.Hairpin || (!isRefusal && from != request.Origin))
        {
            _foreignResponses++;
            return;
        }

        if (isRefusal || !TryReadMapping(message, request.Server, out var mapped))
        {
            request.HandleRefusal();
            return;
        }

        request.HandleAnswer(mapped);
        if (!_options.IsFast) Continue(now, message, request);
    }

    // Any answer shows that the long request was there. Only a long one shows that long ones come in: a server that does
    // not know PADDING says so or answers in short.
    private void HandleFragment(FlowId flow, TransportAddress from, StunMessage message, ProbeRequest request)
    {
        if (flow != _sockets[request.Socket].Flow || from != request.Server) _foreignResponses++;
        else if (request.Purpose is ProbePurpose.FragmentOut || message.Bytes.Length > LargestUnfragmented) request.HandleAnswer(default);
        else request.HandleRefusal();
    }

    // A mapping of another family, without a port or to a group is none: the server is wrong or lies.
    private static bool TryReadMapping(StunMessage message, TransportAddress server, out TransportAddress mapped) =>
        message.TryGetMappedAddress(out mapped)
        && mapped.Family == server.Family
        && mapped is { Port: not 0, IsUnspecified: false, IsMulticastOrBroadcast: false }
        && (!mapped.IsLoopback || server.IsLoopback);

    // What an answer makes possible.
    private void Continue(Instant now, StunMessage message, ProbeRequest request)
    {
        switch (request.Purpose)
        {
            case ProbePurpose.Map:
                if (_primary.IsNone && TryReadAlternate(message, request.Server, out var alternate)) UseAlternate(now, request.Server, alternate);
                AskControl(now, request);
                AskHairpin(now, request);
                AskFragments(now, request, message);
                break;
            case ProbePurpose.Open:
                Ask(now, request.Socket, ProbePurpose.OtherAddress, _primary);
                Ask(now, request.Socket, ProbePurpose.OtherPort, _primary);
                break;
        }
    }

    // RFC 5780 §7.4: both parts differ. Nobody has us send to places that only we can reach.
    private static bool TryReadAlternate(StunMessage message, TransportAddress server, out TransportAddress alternate) =>
        message.TryGetAddress(StunAttributeType.OtherAddress, out alternate)
        && alternate.Family == server.Family
        && !alternate.HasSameAddress(server)
        && alternate.Port != server.Port
        && alternate is { Port: not 0, IsUnspecified: false, IsMulticastOrBroadcast: false }
        && (!alternate.IsPrivate || server.IsPrivate)
        && alternate.IsLoopback == server.IsLoopback;

    private void UseAlternate(Instant now, TransportAddress primary, TransportAddress alternate)
    {
        (_primary, _alternate) = (primary, alternate);
        for (var i = 0; i < FilteringSamples; i++) Ask(now, MappingSamples + i, ProbePurpose.Open, primary);
        foreach (var server in (TransportAddress[])[alternate, primary.WithPort(alternate.Port), alternate.WithPort(primary.Port)])
        {
            if (_options.Servers.Contains(server)) continue;
            for (var socket = 0; socket < MappingSamples; socket++) Ask(now, socket, ProbePurpose.Map, server);
        }
    }

    // A socket that has had an answer from the other address has let it in: if CHANGE-REQUEST brings nothing there, it is
    // the server and not the filter.
    private void AskControl(Instant now, ProbeRequest answered)
    {
        if (_primary.IsNone) return;

        if (answered.Server == _alternate) Ask(now, answered.Socket, ProbePurpose.ControlAddress, _primary);
        if (answered.Server == _primary.WithPort(_alternate.Port)) Ask(now, answered.Socket, ProbePurpose.ControlPort, _primary);
    }

    // Two sockets send to each other's external address, so that both have opened the filter for the other.
    private void AskHairpin(Instant now, ProbeRequest answered)
    {
        if (_isHairpinAsked || answered.Mapped == _sockets[answered.Socket].Local) return;

        var (first, second) = (MappedOf(0, answered.Server), MappedOf(1, answered.Server));
        if (first.IsNone || second.IsNone) return;

        _isHairpinAsked = true;
        Ask(now, 0, ProbePurpose.Hairpin, second);
        Ask(now, 1, ProbePurpose.Hairpin, first);
    }

    // Once on each socket; long answers only from a server that may know PADDING, as it knows the rest of RFC 5780.
    private void AskFragments(Instant now, ProbeRequest answered, StunMessage message)
    {
        if (!IsAsked(answered.Socket, ProbePurpose.FragmentOut)) Ask(now, answered.Socket, ProbePurpose.FragmentOut, answered.Server);
        if (!message.TryGetAddress(StunAttributeType.OtherAddress, out _) || IsAsked(answered.Socket, ProbePurpose.FragmentIn)) return;

        Ask(now, answered.Socket, ProbePurpose.FragmentIn, answered.Server);
    }

    private bool IsAsked(int socket, ProbePurpose purpose) => _requests.Exists(request => request.Socket == socket && request.Purpose == purpose);

    private TransportAddress MappedOf(int socket, TransportAddress server) =>
        _requests.Find(r => r.Socket == socket && r.Purpose is ProbePurpose.Map && r.Server == server)?.Mapped ?? default;

    private void Ask(Instant now, int socket, ProbePurpose purpose, TransportAddress server)
    {
        var flags = purpose switch
        {
            ProbePurpose.OtherAddress or ProbePurpose.ControlAddress => ChangeAddress | ChangePort,
            ProbePurpose.OtherPort or ProbePurpose.ControlPort => ChangePort,
            _ => 0u,
        };
        var id = StunTransactionId.Create(_random);
        var buffer = Request(id, purpose, flags);
        _nextStart = _nextStart > now ? _nextStart : now;
        var schedule = purpose is ProbePurpose.Map or ProbePurpose.Open ? _options.Plain : _options.Silent;
        var transaction = new StunTransaction(_nextStart, id, _sockets[socket].Flow, server, buffer, schedule);
        _nextStart += _options.Pace;
        _requests.Add(new(socket, purpose, transaction)
        {
            Origin = flags switch
            {
                ChangeAddress | ChangePort => _alternate,
                ChangePort => _primary.WithPort(_alternate.Port),
                _ => server,
            },
        });
    }

    private static byte[] Request(StunTransactionId id, ProbePurpose purpose, uint changes)
    {
        Span<byte> buffer = new byte[LongestRequest];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id);
        if (changes != 0) writer.AddUInt32(StunAttributeType.ChangeRequest, changes);

        // PADDING asks for an answer that fills a packet of the server's (RFC 5780 §6.1, §7.6).
        if (purpose is ProbePurpose.FragmentIn) writer.Add(StunAttributeType.Padding, [0, 0, 0, 0]);
        if (purpose is not ProbePurpose.FragmentOut) return writer.Written.ToArray();

        // Its answer may have to be short: SOFTWARE makes it long instead, of which each server reads the first or none.
        Span<byte> name = stackalloc byte[LongestSoftware];
        name.Fill((byte)' ');
        writer.Add(StunAttributeType.Software, name);
        writer.Add(StunAttributeType.Software, name);
        return writer.Written.ToArray();
    }

    private void CompleteIfOver()
    {
        if (Result is not null || _requests.Count == 0 || _requests.Exists(request => !request.IsOver)) return;

        var verdict = new NatVerdict(_requests, [.. _sockets.Select(socket => socket.Local)], _primary, _alternate);
        Result = verdict.Measure() with { ForeignResponses = _foreignResponses };
    }
}
