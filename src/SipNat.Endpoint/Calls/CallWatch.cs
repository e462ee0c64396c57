using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What is done, or was found out, of the audio of a call.</summary>
internal enum CallStep
{
    None,

    /// <summary>Nothing comes any more: what costs nothing is done, a packet that opens the pinhole and a question to STUN servers.</summary>
    OpenPath,

    /// <summary>Our audio is sent where the peer's description says, and no longer back to where its own comes from.</summary>
    OtherDestination,

    /// <summary>The peer is told another address, or ICE begins anew: there is evidence that this one does not work.</summary>
    OtherAddress,

    /// <summary>Nothing that is left to be done helps: the cause is named.</summary>
    Name,

    /// <summary>It is heard again.</summary>
    Recovered,
}

/// <summary>
/// Watches the audio of one call: notices that a direction brings nothing, says what is to be done next, never more than one
/// thing at once, and when it is well again. On mere silence only what is free is done; the peer is asked for something
/// only where there is evidence that its packets, or ours, do not get through.
/// </summary>
internal sealed class CallWatch
{
    /// <summary>How long each step has to show an effect.</summary>
    public static readonly TimeSpan StepTime = TimeSpan.FromSeconds(2);

    private readonly InboundAudio _inbound = new();
    private readonly OutboundAudio _outbound = new();
    private Instant? _steppedAt;

    /// <summary>Whether the last step is about our own audio, which does not arrive.</summary>
    public bool IsOutbound { get; private set; }

    /// <summary>Since when the direction of the last step brought nothing.</summary>
    public Instant Since { get; private set; }

    /// <summary>Since when our audio does not arrive, as far as is known; null where it does.</summary>
    public Instant? UnheardSince => _outbound.LostSince;

    /// <summary>Whether what is missed comes and cannot be used.</summary>
    public bool IsUnusable => _inbound.IsUnusable;

    /// <summary>Whether our audio is refused, here or by ICMP, and does not only go astray.</summary>
    public bool IsRefused => _outbound.IsRefused;

    /// <summary>Whether it is ICMP that says so, and the other side does not say otherwise.</summary>
    public bool IsRefusedByIcmp => _outbound.IsRefusedByIcmp;

    /// <summary>Looks at the call; what it gives back is to be done now.</summary>
    public CallStep Look(Instant now, in CallSituation situation)
    {
        var (inboundSince, outboundSince) = (_inbound.LostSince, _outbound.LostSince);
        var (inboundIsBack, outboundIsBack) = (_inbound.TakeRecovered(now, situation), _outbound.TakeRecovered(now, situation));
        if (inboundIsBack) return Step(CallStep.Recovered, isOutbound: false, inboundSince!.Value);
        if (outboundIsBack) return Step(CallStep.Recovered, isOutbound: true, outboundSince!.Value);
        if (now - _steppedAt < StepTime) return CallStep.None;

        // What is asked of the peer to be heard may help both.
        var step = CallStep.None;
        if (_inbound.LostSince is { } unheard) step = Step(_inbound.NextStep(situation, _outbound.IsEvident(now)), isOutbound: false, unheard);
        if (step is CallStep.None && _outbound.LostSince is { } lost && (_inbound.LostSince is null || _inbound.IsExhausted))
        {
            step = Step(_outbound.NextStep(now, situation), isOutbound: true, lost);
        }

        if (step is not CallStep.None) _steppedAt = now;
        return step;
    }

    /// <summary>There was no other address to be told: the next step follows at once.</summary>
    public void SkipAddress()
    {
        if (IsOutbound) _outbound.SkipAddress();
        else _inbound.SkipAddress();
        _steppedAt = null;
    }

    private CallStep Step(CallStep step, bool isOutbound, Instant since)
    {
        (IsOutbound, Since) = (isOutbound, since);
        return step;
    }
}
