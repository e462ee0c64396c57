using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// What ICMP says of the packets of one stream, and whether that is to be believed: anybody can forge it (RFC 8085 §5.2),
/// but only who sees our packets can quote one.
/// </summary>
internal sealed class IcmpEvidence
{
    /// <summary>One alone may be of a port that is opened anew.</summary>
    private const int FewestQuoted = 2;

    /// <summary>Of routers that quote no more than eight bytes, as RFC 792 has it: the header of UDP, which can be guessed.</summary>
    private const int FewestBare = 5;

    /// <summary>Whoever sends them limits them (RFC 1812 §4.3.2.8): Linux to one in a second for each host, others to fewer.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(3);

    /// <summary>A port may be opened, or closed, a little after the description that names it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private IcmpError _last;
    private FlowId _flow;
    private Instant _at;
    private Instant _since;
    private Instant _believedFrom;
    private int _quoted;
    private int _bare;

    private bool IsBelieved => _quoted >= FewestQuoted || (_quoted == 0 && _bare >= FewestBare);

    /// <summary>Something was agreed on: for a while nothing is believed.</summary>
    public void Begin(Instant now) => _believedFrom = now + Grace;

    /// <summary>Takes a message about a packet to where the stream is sent; true where it is the one that makes it believed.</summary>
    /// <param name="isQuoted">The message has bytes that only a packet of ours has.</param>
    public bool Note(Instant now, FlowId flow, in IcmpError error, bool isQuoted)
    {
        if (now < _believedFrom || !error.IsRefusal) return false;
        if (_flow != flow || error.Destination != _last.Destination || now - _at >= Memory) (_quoted, _bare) = (0, 0);

        // Where some quote our packets, those that do not may be anybody's.
        if (!isQuoted && _quoted > 0) return false;

        var wasBelieved = IsBelieved;
        if (isQuoted) _quoted++;
        else _bare++;
        (_last, _flow, _at) = (error, flow, now);
        if (wasBelieved || !IsBelieved) return false;

        _since = now;
        return true;
    }

    /// <summary>What is believed at this moment, with the flow that it is about; null where nothing is.</summary>
    public (FlowId Flow, IcmpRefusal Refusal)? Standing(Instant now) => IsBelieved && now - _at < Memory ? (_flow, new(_last, _since, _at)) : null;
}
