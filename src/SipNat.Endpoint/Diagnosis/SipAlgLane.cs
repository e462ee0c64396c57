using System.Globalization;
using System.Text;
using SipNat.Sip.Messages;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>One socket of a <see cref="SipAlgProbe"/>: how STUN servers see it, and what becomes of its OPTIONS.</summary>
internal sealed class SipAlgLane
{
    private const string User = "probe";
    private const int DefaultPort = 5060;

    private readonly SipAlgProbeOptions _options;
    private readonly SipHeaderIndex _index = new();
    private readonly List<StunTransaction> _bindings = [];
    private readonly List<SipAlgEvidence> _evidence = [];
    private readonly string _branch;
    private readonly string _tag;
    private readonly string _callId;
    private StunTransaction? _request;
    private TransportAddress _mapped;
    private TransportAddress _received;

    /// <param name="options">The probe's.</param>
    /// <param name="flow">The socket.</param>
    /// <param name="local">Its address and port: what a gateway finds to rewrite stands in every header that may have it.</param>
    /// <param name="random">Tags and branches come from it.</param>
    public SipAlgLane(SipAlgProbeOptions options, FlowId flow, TransportAddress local, Random random)
    {
        (_options, Flow, Local) = (options, flow, local);
        (_branch, _tag) = (Via.MagicCookie + Token(random), Token(random));
        _callId = $"{Token(random)}@{local.AddressText}";
    }

    public FlowId Flow { get; }

    public TransportAddress Local { get; }

    public IReadOnlyList<SipAlgEvidence> Evidence => _evidence;

    public bool IsOver => _request is { State: not StunTransactionState.Waiting } && _bindings.TrueForAll(binding => binding.State is not StunTransactionState.Waiting);

    /// <summary>Why this socket cannot say that there is none; None where it can.</summary>
    public SipAlgObstacle Obstacle =>
        _request is not { State: StunTransactionState.Answered } ? SipAlgObstacle.NoSipAnswer
        : _mapped.IsNone ? SipAlgObstacle.NoStunAnswer
        : _received.IsNone && !_mapped.HasSameAddress(Local) ? SipAlgObstacle.NoReceived
        : IsLocalReceived ? SipAlgObstacle.PrivateServer
        : SipAlgObstacle.None;

    public Instant? Deadline
    {
        get
        {
            var deadline = _request?.Deadline;
            foreach (var binding in _bindings) deadline = Instant.Earlier(deadline, binding.Deadline);
            return deadline;
        }
    }

    private bool IsLocalReceived => _received.HasSameAddress(Local) && !_mapped.IsNone && !_mapped.HasSameAddress(Local);

    /// <summary>Makes the requests due. An OPTIONS is repeated like a Binding request, so that a transaction of STUN carries both.</summary>
    public void Start(Instant now, Random random)
    {
        foreach (var server in _options.StunServers.Take(SipAlgProbe.MaxServers))
        {
            var id = StunTransactionId.Create(random);
            var buffer = new byte[StunMessage.HeaderLength];
            _ = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id);
            _bindings.Add(new(now, id, Flow, server, buffer, _options.Schedule));
        }

        _request = new(now, StunTransactionId.Create(random), Flow, _options.Target, Options(), _options.Schedule);
    }

    public void HandleStun(TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryRead(datagram, out var message, out _) || message.Class is not (StunClass.Success or StunClass.Error)) return;

        var id = message.TransactionId;
        if (_bindings.Find(binding => binding.IsAwaiting(id) && binding.Server == from) is not { } answered) return;

        answered.HandleResponse();
        if (!message.TryGetMappedAddress(out var mapped) || mapped.Family != Local.Family) return;

        if (_mapped.IsNone) _mapped = mapped;
        if (message.TryGetAddress(StunAttributeType.XorMappedAddress, out var hidden)
            && message.TryGetAddress(StunAttributeType.MappedAddress, out var plain)
            && plain != hidden)
        {
            Add(SipAlgEvidenceKind.MappedAddressChanged, hidden.ToString(), plain.ToString());
        }

        Judge();
    }

    public void HandleSip(TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_request is not { State: StunTransactionState.Waiting } request || from != _options.Target) return;
        if (!SipMessage.TryRead(datagram, _index, out var message, out _) || message.IsRequest || message.StatusCode < 200) return;

        var hasVia = message.TryGetTopVia(out var via);
        var hasBranch = hasVia && Is(via.Branch, _branch);
        if (!hasBranch && !Is(message.FromTag, _tag) && !Is(message.CallId, _callId)) return;

        request.HandleResponse();
        if (hasVia) Compare(via, hasBranch);
        Compare(message, SipHeader.From, SipAlgEvidenceKind.FromChanged, User, Local.AddressText);
        Compare(message, SipHeader.To, SipAlgEvidenceKind.ToChanged, "", _options.Host);
        if (!Is(message.CallId, _callId)) Add(SipAlgEvidenceKind.CallIdChanged, _callId, Encoding.UTF8.GetString(message.CallId));
        Judge();
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        foreach (var binding in _bindings) binding.HandleTimeout(now, outbox);
        _request?.HandleTimeout(now, outbox);
    }

    private byte[] Options()
    {
        var writer = new SipWriter();
        var request = new SipRequest
        {
            Method = SipMethod.Options,
            Uri = _options.Target.Port == DefaultPort ? $"sip:{_options.Host}" : $"sip:{_options.Host}:{_options.Target.Port}",
            From = $"<sip:{User}@{Local.HostText}>;tag={_tag}",
            To = $"<sip:{_options.Host}>",
            CallId = _callId,
            CSeq = 1,
            Headers = [new("Contact", $"<sip:{User}@{Local}>"), new("Accept", "application/sdp")],
        };
        request.Write(writer, $"SIP/2.0/UDP {Local};branch={_branch};rport", product: null);
        return writer.Written.ToArray();
    }

    private void Compare(Via via, bool hasBranch)
    {
        var isOurs = via.TryGetSentBy(DefaultPort, out var sentBy) && sentBy == Local;
        if (!isOurs || !hasBranch)
        {
            var branch = Encoding.UTF8.GetString(via.Branch);
            Add(SipAlgEvidenceKind.ViaChanged, $"{Local};branch={_branch}", $"{Encoding.UTF8.GetString(via.Host)}:{via.Port};branch={branch}");
        }

        via.TryGetReceived(out _received);
    }

    // Servers may write a URI anew, with the same parts.
    private void Compare(SipMessage message, SipHeader header, SipAlgEvidenceKind kind, string user, string host)
    {
        if (!message.TryGetAddress(header, out var address)) return;

        var isSame = SipUriView.TryRead(address.Uri, out var uri)
            && Is(uri.User, user)
            && Ascii.EqualsIgnoreCase(uri.Host, host.Trim('[', ']'))
            && uri.Port == 0;
        if (!isSame) Add(kind, user.Length == 0 ? $"sip:{host}" : $"sip:{user}@{host}", Encoding.UTF8.GetString(address.Uri));
    }

    // Once both are known. A private server may well see the private address.
    private void Judge()
    {
        if (!IsLocalReceived || _options.Target.IsPrivate || _evidence.Exists(seen => seen.Kind is SipAlgEvidenceKind.ReceivedIsLocal)) return;

        Add(SipAlgEvidenceKind.ReceivedIsLocal, _mapped.AddressText, _received.AddressText);
    }

    private void Add(SipAlgEvidenceKind kind, string sent, string seen) => _evidence.Add(new(kind, Local, sent, seen));

    private static bool Is(ReadOnlySpan<byte> value, string text) => Ascii.Equals(value, text);

    private static string Token(Random random) => random.NextInt64(0x1000_0000_0000, long.MaxValue).ToString("x", CultureInfo.InvariantCulture);
}
