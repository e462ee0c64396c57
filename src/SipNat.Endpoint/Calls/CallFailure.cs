using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Why a call did not come about, or was lost. The set is closed: switch over it.</summary>
public abstract record CallFailure
{
    private CallFailure()
    {
    }

    /// <summary>A final answer that was no 2xx.</summary>
    public sealed record Rejected(int Status, string Reason) : CallFailure;

    /// <summary>It rang, and nobody took it.</summary>
    public sealed record NoAnswer(TimeSpan Waited) : CallFailure;

    /// <summary>No response came at all.</summary>
    public sealed record NoResponse(TransportAddress Destination) : CallFailure;

    /// <summary>The account is not registered, so that there is no way to its provider.</summary>
    public sealed record NotRegistered(string Account) : CallFailure;

    /// <summary>The DNS does not know where the target is.</summary>
    public sealed record NotLocated(string Host) : CallFailure;

    /// <summary>No way leads there: no connection, no socket of its family.</summary>
    public sealed record Unreachable(string Why) : CallFailure;

    /// <summary>No port for media.</summary>
    public sealed record NoMediaPorts(string Why) : CallFailure;

    /// <summary>The answer has no audio that both sides know.</summary>
    public sealed record NoCommonAudio(string Why) : CallFailure;

    /// <summary>The provider wants credentials that we have not, or does not take ours.</summary>
    public sealed record NotAuthorized(int Status, string Why) : CallFailure;

    /// <summary>The call was sent elsewhere, to where calls may not go (<c>Calls:AllowedTargets</c>), or too often.</summary>
    public sealed record RedirectRefused(string Target) : CallFailure;

    /// <summary>Keys may not be told over this signalling, and media have to be encrypted.</summary>
    public sealed record KeysUnprotected : CallFailure;

    /// <summary>A <c>sips</c> URI is reached by TLS alone, and the way to it has none.</summary>
    public sealed record Unsecured(string Target) : CallFailure;

    /// <summary>The other side is gone without a word.</summary>
    public sealed record Lost(string Why) : CallFailure;
}

public static class CallFailureText
{
    public static string Explain(this CallFailure failure) => failure switch
    {
        CallFailure.Rejected(var status, var reason) => $"The call was answered with {status} {reason}.",
        CallFailure.NoAnswer(var waited) => $"Nobody answered within {waited.TotalSeconds:F0} s.",
        CallFailure.NoResponse(var destination) => $"{destination} did not respond. Is it a SIP server, and does a firewall let us through?",
        CallFailure.NotRegistered(var account) => $"The account {account} is not registered; see what 'register' says of it.",
        CallFailure.NotLocated(var host) => $"The DNS does not know {host}.",
        CallFailure.Unreachable(var why) => $"No way leads there: {why}.",
        CallFailure.NoMediaPorts(var why) => $"No ports for media: {why}.",
        CallFailure.NoCommonAudio(var why) => $"No audio in common: {why}.",
        CallFailure.NotAuthorized(var status, var why) => $"Our credentials were asked for with {status}: {why}.",
        CallFailure.RedirectRefused(var target) => $"The call was sent on to {target}, where calls may not go; name its host in Calls:AllowedTargets if they may.",
        CallFailure.KeysUnprotected => "SRTP is required, and SIP is not encrypted here, so that the keys could be read on the way: use an account with Transport tls.",
        CallFailure.Unsecured(var target) => $"{target} asks for TLS all the way (RFC 3261 §26.2.2), and the way to it has none: use an account with Transport tls, or sip: in place of sips:.",
        CallFailure.Lost(var why) => $"The call was lost: {why}.",
        _ => throw new UnreachableException(),
    };
}
