using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Decides which address the media of a stream comes from and where to send, and remembers every source. RTP and RTCP
/// have a latch each.
/// </summary>
/// <remarks>
/// Probation governs where to send and who may take over. It never costs audio: while no source is followed, packets of
/// every permissible source are recorded at once (the receiver keeps their SSRCs apart), and those of a source that
/// takes over later are held meanwhile. The signalled address needs no probation: its first packet takes the stream
/// back from a learned source. A permissible source that goes on with the SSRC and the sequence numbers of the
/// followed one is the same sender behind a NAT that bound it anew, and is recorded without a pause.
/// </remarks>
public sealed class SourceLatch
{
    /// <summary>Sources that are remembered.</summary>
    public const int MaxSources = 32;

    // Numbers that a sender can pass while its NAT binds it anew: 10 s at 20 ms.
    private const int MaxContinuation = 500;

    private readonly LatchOptions _options;
    private readonly SourceList _sources;
    private TransportAddress _signalled;
    private TransportAddress _signallingSource;
    private Instant? _signalledHeard;
    private Instant _lockedHeard;
    private TransportAddress _accepted;
    private uint _ssrc;
    private int _sequence;

    /// <param name="signalled">Address and port of the peer's SDP; none where it has none.</param>
    /// <param name="signallingSource">Where the SIP messages came from; its port is ignored.</param>
    public SourceLatch(LatchOptions options, TransportAddress signalled, TransportAddress signallingSource)
    {
        _options = options;
        _sources = new(MaxSources, options.Probation);
        (_signalled, _signallingSource) = (signalled, signallingSource);
    }

    /// <summary>The source that is followed; none while all are in probation.</summary>
    public TransportAddress Locked { get; private set; }

    /// <summary>Where to send: the followed source, else the signalled address. May be none.</summary>
    public TransportAddress Destination => Locked.IsNone ? _signalled : Locked;

    /// <summary>
    /// A source that passed its probation while the followed one was sending: it is not followed, and a finding. None
    /// where there was no such.
    /// </summary>
    public TransportAddress Contender { get; private set; }

    /// <summary>Set while the stream is on hold or inactive: silence then unlocks nothing.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Packets that were counted and dropped.</summary>
    public long Strays { get; private set; }

    /// <summary>Packets of sources that found no place among the remembered ones.</summary>
    public long Unlisted => _sources.Unlisted;

    /// <summary>A copy: every source so far, in the order of appearance.</summary>
    public IReadOnlyList<SourceSeen> Sources => _sources.Snapshot();

    /// <summary>Takes the addresses of an offer. Where they differ from the last ones, the lock opens.</summary>
    public void SignalledChanged(TransportAddress signalled, TransportAddress signallingSource)
    {
        if (signalled == _signalled && signallingSource.HasSameAddress(_signallingSource)) return;

        (_signalled, _signallingSource) = (signalled, signallingSource);
        Locked = Contender = _accepted = default;
        _signalledHeard = null;
        _sources.EndRuns();
    }

    /// <param name="now">When the packet arrived.</param>
    /// <param name="isNegotiated">Whether the packet's payload type was negotiated.</param>
    /// <param name="standing">What ICE knows of the source.</param>
    public LatchVerdict Judge(
        Instant now, TransportAddress from, in RtpPacket packet, bool isNegotiated, SourceStanding standing = SourceStanding.ByPolicy) =>
        Judge(now, from, packet.Ssrc, packet.PayloadType, packet.SequenceNumber, isNegotiated, standing);

    /// <summary>The same for RTCP, whose packets have no sequence numbers.</summary>
    /// <param name="ssrc">Of the compound's first packet.</param>
    /// <param name="standing">What ICE knows of the source.</param>
    public LatchVerdict JudgeControl(Instant now, TransportAddress from, uint ssrc, SourceStanding standing = SourceStanding.ByPolicy) =>
        Judge(now, from, ssrc, -1, -1, true, standing);

    /// <summary>Whether a source lies in the allowed networks, whatever the policy: its packets are worth keeping.</summary>
    public bool IsAllowed(TransportAddress from)
    {
        for (var i = 0; i < _options.AllowedNetworks.Count; i++)
        {
            if (_options.AllowedNetworks[i].Contains(from)) return true;
        }

        return false;
    }

    private LatchVerdict Judge(Instant now, TransportAddress from, uint ssrc, int payloadType, int sequence, bool counts, SourceStanding standing)
    {
        var source = _sources.See(now, from, ssrc, payloadType, Locked);
        source?.Extend(now, sequence, counts);
        var verdict =
            standing is SourceStanding.Foreign ? JudgeForeign(ssrc, sequence)
            : standing is SourceStanding.Validated && source is { Verdict: LatchVerdict.Probation } ? TakeOver(now, source, sequence)
            : !IsPermissible(from, standing) ? LatchVerdict.Stray
            : from == Locked ? Follow(now, source, ssrc, sequence)
            : Locked.IsNone ? JudgeFirst(now, from, source, sequence)
            : JudgeOther(now, source, sequence);

        if (verdict is LatchVerdict.Stray) Strays++;
        source?.Verdict = verdict;
        return verdict;
    }

    private bool IsPermissible(TransportAddress from, SourceStanding standing) =>
        standing is SourceStanding.Validated || from == Locked || IsPermissible(from);

    // Who goes on with the SSRC and the numbers of the path may be the peer behind a NAT that bound it anew: its packets
    // wait for the proof.
    private LatchVerdict JudgeForeign(uint ssrc, int sequence) => Continues(ssrc, sequence) ? LatchVerdict.Probation : LatchVerdict.Stray;

    private bool IsPermissible(TransportAddress from) => _options.Policy switch
    {
        LatchPolicy.Any => true,
        LatchPolicy.Off => from == _signalled,
        LatchPolicy.Signalling => IsOfSignalling(from),
        _ => IsOfSignalling(from) || IsAllowed(from),
    };

    private bool IsOfSignalling(TransportAddress from) => from.HasSameAddress(_signalled) || from.HasSameAddress(_signallingSource);

    // A learned address takes the place of the signalled one only while nothing arrives from that.
    private LatchVerdict JudgeFirst(Instant now, TransportAddress from, SourceList.Entry? source, int sequence)
    {
        if (from == _signalled) _signalledHeard = now;
        else if (now - _signalledHeard < _options.TakeoverSilence) return LatchVerdict.Probation;

        var isTakenBack = from == _signalled && !_accepted.IsNone && _accepted != from && source is { Run: > 0 };
        _accepted = from;
        if (source?.Run >= _options.Probation)
        {
            Locked = from;
            Follow(now, source, source.Ssrc, sequence);
        }

        return isTakenBack ? LatchVerdict.TookOver : LatchVerdict.Accept;
    }

    private LatchVerdict Follow(Instant now, SourceList.Entry? source, uint ssrc, int sequence)
    {
        (_lockedHeard, _ssrc, _sequence) = (now, ssrc, sequence);
        source?.Verdict = LatchVerdict.Accept;
        return LatchVerdict.Accept;
    }

    private LatchVerdict JudgeOther(Instant now, SourceList.Entry? source, int sequence)
    {
        if (IsHeld || source is null) return LatchVerdict.Stray;

        if (source.Address == _signalled && source.Run > 0) return TakeOver(now, source, sequence);

        var hasPassed = source.Run >= _options.Probation;
        if (Continues(source.Ssrc, sequence))
        {
            _sequence = sequence;
            if (hasPassed && source.RunStarted >= _lockedHeard) TakeOver(now, source, sequence);
            return LatchVerdict.Accept;
        }

        if (!hasPassed) return LatchVerdict.Probation;

        if (now - _lockedHeard < _options.TakeoverSilence)
        {
            Contender = source.Address;
            return LatchVerdict.Probation;
        }

        return TakeOver(now, source, sequence);
    }

    private bool Continues(uint ssrc, int sequence) =>
        sequence >= 0 && ssrc == _ssrc && (ushort)(sequence - _sequence) is > 0 and <= MaxContinuation;

    private LatchVerdict TakeOver(Instant now, SourceList.Entry source, int sequence)
    {
        Locked = source.Address;
        Follow(now, source, source.Ssrc, sequence);
        return LatchVerdict.TookOver;
    }
}
