using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What is done, or was found out, of the audio of a call.</summary>
internal enum CallStep
{
    None,

    /// <summary>Nothing comes any more: what costs nothing is done, a packet that opens the pinhole and a question to STUN servers.</summary>
    OpenPath,

    /// <summary>The peer is told another address, or ICE begins anew: there is evidence that this one does not work.</summary>
    OtherAddress,

    /// <summary>Nothing that is left to be done helps: the cause is named.</summary>
    Name,

    /// <summary>It is heard again.</summary>
    Recovered,
}

/// <summary>What is known of the audio of a call at one moment.</summary>
/// <param name="MayReceive">By the direction that was agreed on.</param>
/// <param name="HeardAt">The last packet of RTP or RTCP that belongs to the stream; null before any.</param>
/// <param name="MaySend">By the direction that was agreed on.</param>
/// <param name="Sent">Packets of audio that left.</param>
/// <param name="ReceivedByPeer">Those of them that the peer has received by its own word; null where it says nothing.</param>
/// <param name="ReportedAt">When it said so last; null before.</param>
/// <param name="HasSendFailed">The system refused to send: no route, or the other side's port is closed (ICMP).</param>
internal readonly record struct CallSituation(
    bool MayReceive, Instant? HeardAt, bool MaySend, long Sent, long? ReceivedByPeer, Instant? ReportedAt, bool HasSendFailed);

/// <summary>
/// Watches the audio of one call: notices that a direction brings nothing, says what is to be done next, never more than one
/// thing at once, and when it is well again. On mere silence only what is free is done; the peer is asked for something
/// only where there is evidence that its packets, or ours, do not get through.
/// </summary>
internal sealed class CallWatch
{
    /// <summary>Without RTP, RTCP or comfort noise for so long, a direction that should bring them is lost.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(2);

    /// <summary>How long each step has to show an effect.</summary>
    public static readonly TimeSpan StepTime = TimeSpan.FromSeconds(2);

    /// <summary>So many packets have left before a peer that reports none of them is believed: a second of them.</summary>
    private const int FewestSent = 50;

    /// <summary>Another address is tried so often: reflexive, relayed, and the local one.</summary>
    private const int MaxAddresses = 3;

    private Instant? _expectedSince;
    private Instant? _nextStepAt;
    private Instant? _reportedAt;
    private long _receivedByPeer;
    private bool _isOutboundLost;
    private bool _hasOpened;
    private bool _isNamed;
    private int _addresses;

    /// <summary>Since when a direction brings nothing; null where none is missed.</summary>
    public Instant? LostSince { get; private set; }

    /// <summary>Whether it is our own audio that does not arrive, by the peer's word.</summary>
    public bool IsOutbound => _isOutboundLost;

    /// <summary>Whether another address was tried for what is missed now.</summary>
    public int AddressesTried => _addresses;

    /// <summary>Looks at the call; what it gives back is to be done now.</summary>
    public CallStep Look(Instant now, in CallSituation situation)
    {
        _expectedSince = situation.MayReceive ? _expectedSince ?? now : null;
        NoteReport(situation);
        var lostSince = InboundLostSince(now, situation) ?? (_isOutboundLost && situation.MaySend ? LostSince ?? now : null);
        if (lostSince is null) return Recover();

        if (LostSince is null) (LostSince, _nextStepAt) = (lostSince, now);
        if (!(_nextStepAt <= now)) return CallStep.None;

        _nextStepAt = now + StepTime;
        return NextStep(situation);
    }

    /// <summary>There was no other address to be told: the next step follows at once.</summary>
    public void SkipAddress() => _addresses = MaxAddresses;

    private CallStep NextStep(in CallSituation situation)
    {
        if (!_hasOpened)
        {
            _hasOpened = true;
            return CallStep.OpenPath;
        }

        // Never any packet, none of ours received, or a send that was refused: silence alone proves nothing.
        var isEvident = situation.HeardAt is null || _isOutboundLost || situation.HasSendFailed;
        if (isEvident && _addresses < MaxAddresses)
        {
            _addresses++;
            return CallStep.OtherAddress;
        }

        if (_isNamed) return CallStep.None;

        _isNamed = true;
        return CallStep.Name;
    }

    private Instant? InboundLostSince(Instant now, in CallSituation situation)
    {
        if (_expectedSince is not { } expected) return null;

        var since = situation.HeardAt > expected ? situation.HeardAt.Value : expected;
        return now - since >= SilenceLimit ? since : null;
    }

    // One report that covers a second of audio and counts none of it; any later one that counts more takes it back.
    private void NoteReport(in CallSituation situation)
    {
        if (situation.ReportedAt is not { } at || at == _reportedAt || situation.ReceivedByPeer is not { } received) return;

        _isOutboundLost = received <= _receivedByPeer && situation.Sent - received >= FewestSent;
        (_reportedAt, _receivedByPeer) = (at, received);
    }

    private CallStep Recover()
    {
        var wasLost = LostSince is not null;
        (LostSince, _nextStepAt, _hasOpened, _isNamed, _addresses) = (null, null, false, false, 0);
        return wasLost ? CallStep.Recovered : CallStep.None;
    }
}
