using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SipNat.Archive.Index;
using SipNat.Endpoint;
using SipNat.Server.MediaEngine;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>What the recorder says in the log. Addresses of peers stand at Information where an operator must act on them.</summary>
internal static partial class RecorderLog
{
    public static void Notice(ILogger log, SignallingNotice notice)
    {
        switch (notice)
        {
            case SignallingNotice.NotAllowed(var from, var method):
                NotAllowed(log, from, method.ToString().ToUpperInvariant(), from.AddressText, from.IsIPv4 ? 32 : 128);
                break;
            case SignallingNotice.Malformed(var from, var defect):
                Malformed(log, from, defect);
                break;
            case SignallingNotice.Unrecordable(var from, var callId, var answer):
                Unrecordable(log, callId, from, answer);
                break;
            case SignallingNotice.OutOfPorts(var reason):
                OutOfPorts(log, reason);
                break;
            case SignallingNotice.TurnedAway(var from, var count, var reason):
                TurnedAway(log, count, from, reason);
                break;
            case SignallingNotice.Advertised(var session, var what, var address, var why):
                Advertised(log, session.Value, what, address, why);
                break;
            case SignallingNotice.Mapping(var happened):
                Mapping(log, happened.Explain());
                break;
            case SignallingNotice.SessionChanged(var session, var text):
                SessionChanged(log, session.Value, text);
                break;
            default:
                throw new UnreachableException();
        }
    }

    public static void Recovered(ILogger log, ReindexResult result)
    {
        if (result.MovedAside is { } aside) DamagedCatalogue(log, aside, result.Indexed);
        if (!result.HasRows) UnusableCatalogue(log);
        if (result.Recovered > 0) Interrupted(log, result.Recovered);
    }

    public static void Configured(ILogger log, MediaPortAllocator ports, int first, int last, IReadOnlyList<NetworkPrefix> allowed)
    {
        Capacity(log, first, last, ports.Pairs, string.Join(", ", allowed));
        if (ports.Streams < ports.Pairs) FewDescriptors(log, ports.Streams, DescriptorLimit.PerStream);
    }

    [LoggerMessage(LogLevel.Information, "The limit of open files (RLIMIT_NOFILE) has room for {Streams} streams, {Descriptors} for each")]
    private static partial void FewDescriptors(ILogger logger, int streams, int descriptors);

    [LoggerMessage(LogLevel.Information, "Ports {First}–{Last} allow {Pairs} streams; {Networks} may record")]
    private static partial void Capacity(ILogger logger, int first, int last, int pairs, string networks);

    [LoggerMessage(LogLevel.Warning, "{From} may not record ({Method} answered with 403); if it should, add {Address}/{Length} to Sip:AllowedNetworks")]
    private static partial void NotAllowed(ILogger logger, TransportAddress from, string method, string address, int length);

    [LoggerMessage(LogLevel.Debug, "{From} sent what is not SIP: {Defect}")]
    private static partial void Malformed(ILogger logger, TransportAddress from, Sip.Messages.SipDefect defect);

    [LoggerMessage(LogLevel.Warning, "The call {CallId} from {From} could not be recorded: {Answer}")]
    private static partial void Unrecordable(ILogger logger, string callId, TransportAddress from, string answer);

    [LoggerMessage(LogLevel.Warning, "No media ports: {Reason}; sessions are refused with 503")]
    private static partial void OutOfPorts(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} sessions were refused with 503, the last one of {From}: {Reason}")]
    private static partial void TurnedAway(ILogger logger, int count, TransportAddress from, string reason);

    [LoggerMessage(LogLevel.Warning, "No session begins until this is over: {Reason}")]
    public static partial void Overloaded(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "Sessions are taken again")]
    public static partial void TakenAgain(ILogger logger);

    [LoggerMessage(LogLevel.Information, "{Recording} {What}: the peer is told {Address}, because {Why}")]
    private static partial void Advertised(ILogger logger, string recording, string what, TransportAddress address, string why);

    [LoggerMessage(LogLevel.Information, "{Mapping}")]
    private static partial void Mapping(ILogger logger, string mapping);

    [LoggerMessage(LogLevel.Information, "{Recording} {Change}")]
    private static partial void SessionChanged(ILogger logger, string recording, string change);

    [LoggerMessage(LogLevel.Warning, "The catalogue was damaged: it is kept as {Aside}, and another was built from the folders with {Count} recordings")]
    private static partial void DamagedCatalogue(ILogger logger, string aside, int count);

    [LoggerMessage(LogLevel.Warning, "The catalogue cannot be used yet; recording begins without it")]
    private static partial void UnusableCatalogue(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "{Count} recordings were interrupted when the program ended; what had been written is kept")]
    private static partial void Interrupted(ILogger logger, int count);

    [LoggerMessage(LogLevel.Warning, "The clock was set, or the machine slept: it is {Wall:u} now; every mapping is asked for anew")]
    public static partial void ClockStepped(ILogger logger, DateTimeOffset wall);

    [LoggerMessage(LogLevel.Information, "The network changed: this machine has {Addresses} and the router {Router}; every mapping is asked for anew")]
    public static partial void NetworkChanged(ILogger logger, string addresses, string router);

    [LoggerMessage(LogLevel.Information, "No further sessions; {Sessions} running ones may finish within {Seconds} s")]
    public static partial void Draining(ILogger logger, int sessions, double seconds);
}
