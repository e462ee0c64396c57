using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>What the sessions of one signalling core share: transactions, flows, addresses and the queues outwards.</summary>
internal sealed class SignallingContext
{
    // What nobody reads must not grow: notices are for the log only.
    private const int MaxNotices = 1_000;

    private AddressingOptions _addressing;

    public SignallingContext(SignallingOptions options, AddressingOptions addressing, Random random)
    {
        (Options, _addressing, Random) = (options, addressing, random);
        Advisor = new(addressing);
        Transactions = new(new()
        {
            ForceRport = options.ForceRport,
            Product = options.ServerName,
            KnownNetworks = options.AllowedNetworks,
            AnswersPerSecond = options.AnswersPerSecond,
            StrangerAnswersPerSecond = options.RefusalsPerSecond,
        }, random);
        Flows = new(this);
        Accounts = new(this);
        Links = new(options.MaxSessions);
    }

    public SignallingOptions Options { get; private set; }

    public Random Random { get; }

    public TransactionLayer Transactions { get; }

    public SignallingFlows Flows { get; }

    public AccountList Accounts { get; }

    public AddressAdvisor Advisor { get; private set; }

    public SignallingCounters Counters { get; } = new();

    public Outbox Outbox { get; } = new();

    public Queue<MediaCommand> Commands { get; } = new();

    public Queue<RecordingSnapshot> Snapshots { get; } = new();

    public Queue<SignallingNotice> Notices { get; } = new();

    /// <summary>What accounts want to know of the DNS.</summary>
    public Queue<LocateRequest> Locates { get; } = new();

    public Queue<AccountSnapshot> AccountChanges { get; } = new();

    public Queue<CallSnapshot> CallChanges { get; } = new();

    /// <summary>Calls whose place another one has taken (RFC 3891): they are to be ended.</summary>
    public Queue<Call> CallReplacements { get; } = new();

    /// <summary>Calls that were asked for by REFER: they are to be placed.</summary>
    public Queue<CallRequest> Transfers { get; } = new();

    /// <summary>What became of calls that were asked for by REFER, for those whose peer asked.</summary>
    public Queue<(SessionId Parent, int Status, string Reason)> Transferred { get; } = new();

    public LargeRequests LargeRequests { get; } = new();

    public RecordingLinks Links { get; }

    /// <summary>Sessions that were found to record the same call as another: the first of each pair is yet to be told.</summary>
    public Queue<(SessionId Session, SessionId Other)> Relations { get; } = new();

    public Queue<FlowRequest> FlowRequests { get; } = new();

    public bool IsAllowed(TransportAddress source)
    {
        // Not foreach, whose enumerator of an interface is allocated: every datagram of STUN is looked at.
        for (var i = 0; i < Options.AllowedNetworks.Count; i++)
        {
            if (Options.AllowedNetworks[i].Contains(source)) return true;
        }

        return false;
    }

    public void SetExternalAddresses(IReadOnlyList<TransportAddress> external)
    {
        if (_addressing.External.SequenceEqual(external)) return;

        _addressing = _addressing with { External = [.. external] };
        Advisor = new(_addressing);
    }

    public void SetNetworks(IReadOnlyList<NetworkPrefix> local, IReadOnlyList<NetworkPrefix> allowed)
    {
        Options = Options with { AllowedNetworks = allowed };
        Transactions.SetKnownNetworks(allowed);
        _addressing = _addressing with { LocalNetworks = local };
        Advisor = new(_addressing);
    }

    public void SetCloudAddresses(IReadOnlyDictionary<TransportAddress, TransportAddress> addresses)
    {
        _addressing = _addressing with { CloudAddresses = addresses };
        Advisor = new(_addressing);
    }

    public void SetRouterMappings(IReadOnlyDictionary<InternalPort, RouterMapping> mappings)
    {
        _addressing = _addressing with { RouterMappings = mappings };
        Advisor = new(_addressing);
    }

    /// <summary>
    /// Where new requests reach us: a connection that we opened has a port of its own, on which nobody listens.
    /// </summary>
    public TransportAddress ListeningAddress(SignallingFlow flow) => !flow.Transport.IsReliable || flow.IsAccepted
        ? flow.Local
        : flow.Local.WithPort(Options.ListeningPorts.GetValueOrDefault(flow.Transport, _addressing.SipPort));

    /// <summary>The internal address for media of a peer that came in on a flow: the one that routes to it.</summary>
    public TransportAddress MediaAddressFor(FlowId flow) =>
        Flows.TryGet(flow, out var known) && (Options.MediaAddress.IsNone || Options.MediaAddress.Family != known.Local.Family)
            ? known.Local.WithPort(0)
            : Options.MediaAddress;

    public void Tell(SignallingNotice notice)
    {
        if (Notices.Count < MaxNotices) Notices.Enqueue(notice);
    }

    /// <summary>Whether a call may be sent on to a target: its host is the account's own, or was named (<c>Calls:AllowedTargets</c>).</summary>
    public bool MayCall(CallIdentity identity, SipUri target) =>
        (identity.Uri is { } own && own.Host.Equals(target.Host, StringComparison.OrdinalIgnoreCase))
        || Options.AllowedTargets.Any(host => host.Equals(target.Host, StringComparison.OrdinalIgnoreCase));

    public void CollectOutput() => Outbox.TakeAllFrom(Transactions.Outbox);
}
