using System.Diagnostics;
using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>What became of an allocation. The set is closed: switch over it.</summary>
public abstract record TurnEvent
{
    private TurnEvent()
    {
    }

    /// <summary>The server relays now, for the first time or, after a loss, anew and then mostly at another address.</summary>
    /// <param name="Mapped">How the server sees the client: a reflexive address.</param>
    public sealed record Allocated(TransportAddress Server, TransportAddress Relayed, TransportAddress Mapped, TimeSpan Lifetime, Instant At) : TurnEvent;

    /// <summary>The relayed address is gone; unless the flow closed, another one is being asked for.</summary>
    public sealed record Lost(TransportAddress Server, TransportAddress Relayed, TurnLoss Reason, Instant At) : TurnEvent;

    /// <summary>The server gave none.</summary>
    /// <param name="Code">The error code; 0 where there was no answer.</param>
    /// <param name="RetryAt">When it is asked again; null where asking would change nothing.</param>
    public sealed record Failed(TransportAddress Server, TurnFailure Reason, int Code, Instant? RetryAt, Instant At) : TurnEvent;

    /// <summary>The server names another one, which has to be reached by a connection of its own.</summary>
    public sealed record Redirected(TransportAddress Server, Instant At) : TurnEvent;

    /// <summary>Packets from and to this address (its port is 0) pass from now on.</summary>
    public sealed record PeerPermitted(TransportAddress Peer, Instant At) : TurnEvent;

    /// <summary>Packets to this peer have four bytes of overhead from now on.</summary>
    public sealed record ChannelBound(TransportAddress Peer, ushort Number, Instant At) : TurnEvent;

    /// <summary>The server does not relay to this peer (403, 443) and is not asked again.</summary>
    public sealed record PeerRefused(TransportAddress Peer, int Code, Instant At) : TurnEvent;

    /// <summary>The allocation was given back.</summary>
    public sealed record Released(TransportAddress Server, Instant At) : TurnEvent;
}

/// <summary>Why an allocation is gone.</summary>
public enum TurnLoss
{
    /// <summary>The server does not know it: it restarted, or our address changed (437).</summary>
    Unknown,

    /// <summary>A request was not answered.</summary>
    Silence,

    /// <summary>Its lifetime ended while nothing ran here, as in a suspend.</summary>
    Expired,

    /// <summary>The server did not refresh it.</summary>
    Refused,

    /// <summary>The socket or connection closed.</summary>
    FlowClosed,
}

/// <summary>Why there is no allocation.</summary>
public enum TurnFailure
{
    /// <summary>No answer.</summary>
    Silence,

    /// <summary>The username or password is wrong, or the server wants none of what we have (401, 441).</summary>
    Credentials,

    /// <summary>The server forbids it (403).</summary>
    Forbidden,

    /// <summary>The server has no address of the family (440).</summary>
    AddressFamily,

    /// <summary>The server does not relay UDP (442).</summary>
    Transport,

    /// <summary>The server, or what this user may have of it, is used up (486, 508).</summary>
    Capacity,

    /// <summary>The server has an allocation of this very address that is not ours to end (437).</summary>
    Mismatch,

    /// <summary>The server does not understand the request (400, 420), or we not its answer.</summary>
    Protocol,

    /// <summary>The server is in trouble (500).</summary>
    ServerError,

    /// <summary>Too many servers named others, or one that was asked before (300).</summary>
    Redirection,

    /// <summary>The connection to the server closed.</summary>
    FlowClosed,
}

public static class TurnEventText
{
    public static string Explain(this TurnEvent happened) => happened switch
    {
        TurnEvent.Allocated(var server, var relayed, var mapped, var lifetime, _) =>
            string.Create(CultureInfo.InvariantCulture, $"TURN server {server} relays at {relayed} for {lifetime.TotalSeconds:0} s and sees us as {mapped}."),
        TurnEvent.Lost(var server, var relayed, var reason, _) => $"The relayed address {relayed} of TURN server {server} is lost: {Word(reason)}.",
        TurnEvent.Failed(var server, var reason, 0, _, _) => $"TURN server {server} gives no relay: {Word(reason)}.",
        TurnEvent.Failed(var server, var reason, var code, _, _) => $"TURN server {server} gives no relay: {Word(reason)} ({code}).",
        TurnEvent.Redirected(var server, _) => $"The TURN server names another one, {server}.",
        TurnEvent.PeerPermitted(var peer, _) => $"The TURN server relays for {peer.AddressText}.",
        TurnEvent.ChannelBound(var peer, var number, _) => $"Channel 0x{number:X4} is bound to {peer}.",
        TurnEvent.PeerRefused(var peer, var code, _) => $"The TURN server does not relay for {peer} ({code}).",
        TurnEvent.Released(var server, _) => $"The relay of TURN server {server} was given back.",
        _ => throw new UnreachableException(),
    };

    private static string Word(TurnLoss loss) => loss switch
    {
        TurnLoss.Unknown => "the server does not know it any more",
        TurnLoss.Silence => "the server is silent",
        TurnLoss.Expired => "it expired",
        TurnLoss.Refused => "the server did not refresh it",
        TurnLoss.FlowClosed => "the connection closed",
        _ => throw new UnreachableException(),
    };

    private static string Word(TurnFailure failure) => failure switch
    {
        TurnFailure.Silence => "no answer",
        TurnFailure.Credentials => "the username or password is wrong",
        TurnFailure.Forbidden => "forbidden",
        TurnFailure.AddressFamily => "no address of this family",
        TurnFailure.Transport => "it does not relay UDP",
        TurnFailure.Capacity => "its capacity is used up",
        TurnFailure.Mismatch => "it has an allocation of this address already",
        TurnFailure.Protocol => "request and answer do not fit",
        TurnFailure.ServerError => "an error of the server",
        TurnFailure.Redirection => "it names another server without end",
        TurnFailure.FlowClosed => "the connection closed",
        _ => throw new UnreachableException(),
    };
}
