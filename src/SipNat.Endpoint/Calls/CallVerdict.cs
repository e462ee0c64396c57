using System.Diagnostics;
using SipNat.Endpoint.Media;

namespace SipNat.Endpoint.Calls;

/// <summary>Whether the other side was heard.</summary>
public enum InboundVerdict
{
    Audio,

    /// <summary>Packets came, and nothing was to be heard in them.</summary>
    Silent,

    /// <summary>No packet came that could be played.</summary>
    Nothing,

    /// <summary>The other side was not to send.</summary>
    Held,
}

/// <summary>Whether the other side could hear us.</summary>
public enum OutboundVerdict
{
    /// <summary>It reports our packets.</summary>
    Delivered,

    /// <summary>It reports that none came, or none could be sent, or it reports nothing and ICMP says that nobody takes them.</summary>
    NotDelivered,

    /// <summary>It reports nothing at all.</summary>
    Unconfirmed,

    /// <summary>We were not to send.</summary>
    Held,
}

/// <summary>What became of the audio of a call, by direction.</summary>
public readonly record struct CallVerdict(InboundVerdict Inbound, OutboundVerdict Outbound)
{
    /// <summary>Both directions work, or were not to.</summary>
    public bool IsGood => Inbound is not InboundVerdict.Nothing && Outbound is not OutboundVerdict.NotDelivered;

    public static CallVerdict Of(CallSnapshot call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return new(InboundOf(call), OutboundOf(call));
    }

    private static InboundVerdict InboundOf(CallSnapshot call)
    {
        var audio = call.Stream?.Audio;
        if (audio is { AudibleBlocks: > 0 }) return InboundVerdict.Audio;
        if (call.Stream is { Stream.Packets: > 0 }) return InboundVerdict.Silent;

        return call.MayReceive || call.AnsweredAt is null ? InboundVerdict.Nothing : InboundVerdict.Held;
    }

    private static OutboundVerdict OutboundOf(CallSnapshot call)
    {
        var sent = call.Stream?.Audio?.PacketsSent ?? 0;
        if (sent <= call.Stream?.SendsFailed) sent = 0;
        if (sent == 0) return call.MaySend || call.AnsweredAt is null ? OutboundVerdict.NotDelivered : OutboundVerdict.Held;

        var audio = call.Stream!.Audio!;
        if (audio.Stages.ReceivedByPeer is { } received) return received > 0 ? OutboundVerdict.Delivered : OutboundVerdict.NotDelivered;

        return call.Stream.RefusedByIcmp is { } refusal && refusal.At - refusal.Since >= IcmpRefusal.LeastAge ? OutboundVerdict.NotDelivered : OutboundVerdict.Unconfirmed;
    }
}

public static class CallVerdicts
{
    /// <summary>The word of the JSON.</summary>
    public static string Word(this InboundVerdict verdict) => verdict switch
    {
        InboundVerdict.Audio => "audio",
        InboundVerdict.Silent => "silent",
        InboundVerdict.Nothing => "nothing",
        InboundVerdict.Held => "held",
        _ => throw new UnreachableException(),
    };

    /// <summary>The word of the JSON.</summary>
    public static string Word(this OutboundVerdict verdict) => verdict switch
    {
        OutboundVerdict.Delivered => "delivered",
        OutboundVerdict.NotDelivered => "not-delivered",
        OutboundVerdict.Unconfirmed => "unconfirmed",
        OutboundVerdict.Held => "held",
        _ => throw new UnreachableException(),
    };
}
