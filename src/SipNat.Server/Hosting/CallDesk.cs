using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Media.Wav;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Decides on the calls that come to the accounts of a running server, by what each of them is configured to do. It runs
/// under the lock of the signalling core.
/// </summary>
internal sealed partial class CallDesk
{
    private readonly SignallingCore _core;
    private readonly Action<MediaCommand> _media;
    private readonly int _maxIncoming;
    private readonly Dictionary<string, AccountSettings> _accounts;
    private readonly Dictionary<string, AudioClip> _clips = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<SessionId, string> _taken = [];
    private readonly HashSet<SessionId> _playing = [];
    private readonly ILogger _log;

    /// <param name="media">Hands a command to the media engine.</param>
    /// <exception cref="ConfigurationException">A file that callers are to hear cannot be played.</exception>
    public CallDesk(SipNatOptions options, SignallingCore core, Action<MediaCommand> media, ILoggerFactory logs)
    {
        (_core, _media, _log, _maxIncoming) = (core, media, logs.CreateLogger<CallDesk>(), options.Calls.MaxIncoming);
        _accounts = options.Accounts.ToDictionary(a => a.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var account in options.Accounts)
        {
            if (account.Play is { } file) _clips[account.Name] = ClipFile.Read(file);
        }

        core.AccountCalls = name =>
        {
            var account = _accounts.GetValueOrDefault(name);
            return CallOptions.TermsOf(options, account, account?.Incoming is IncomingCalls.Record ? CallRecording.Kept : CallRecording.None);
        };
    }

    /// <summary>Calls of accounts that were taken and are not over.</summary>
    public int Calls => _taken.Count;

    /// <summary>Takes a call after a change.</summary>
    public void Take(Instant now, CallSnapshot call)
    {
        if (call.IsComplete)
        {
            _taken.Remove(call.Id);
            _playing.Remove(call.Id);
            if (call.AnsweredAt is not null) Ended(_log, call.Account ?? "", call.Direction, SafeText.EscapeLines(call.Remote), SafeText.EscapeLines(call.EndReason), CallVerdict.Of(call).Inbound.Word(), CallVerdict.Of(call).Outbound.Word());
            return;
        }

        if (call.Account is not { } name || !_accounts.TryGetValue(name, out var account)) return;
        if (call is { Direction: CallDirection.Incoming, State: CallState.Ringing } && !_taken.ContainsKey(call.Id)) Decide(now, call, account);
        else if (_taken.ContainsKey(call.Id) && call.AnsweredAt is not null && _playing.Add(call.Id)) _media(new MediaCommand.Play(call.Id, 0, SourceOf(account)));
    }

    private void Decide(Instant now, CallSnapshot call, AccountSettings account)
    {
        if (account.Incoming is IncomingCalls.Reject)
        {
            Rejected(_log, account.Name, SafeText.EscapeLines(call.Remote));
            _core.RejectCall(now, call.Id, 480);
        }
        else if (_taken.Values.Count(taken => taken == account.Name) >= _maxIncoming)
        {
            Busy(_log, account.Name, SafeText.EscapeLines(call.Remote), _maxIncoming);
            _core.RejectCall(now, call.Id, 486);
        }
        else
        {
            _taken.Add(call.Id, account.Name);
            Accepted(_log, account.Name, SafeText.EscapeLines(call.Remote), account.Incoming);
            _core.AcceptCall(now, call.Id);
        }
    }

    private AudioSource SourceOf(AccountSettings account) => account.Incoming switch
    {
        IncomingCalls.Echo => new AudioSource.Echo(),
        IncomingCalls.Play => new AudioSource.Clip(_clips[account.Name]),
        IncomingCalls.Record => _clips.TryGetValue(account.Name, out var clip) ? new AudioSource.Clip(clip) : new AudioSource.Silence(),
        _ => throw new UnreachableException(),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Account}: {Caller} calls and is told that nobody is there; Accounts:N:Incoming says what else may be done")]
    private static partial void Rejected(ILogger log, string account, string caller);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Account}: {Caller} calls and is told that the line is busy: there are {Limit} calls already (Calls:MaxIncoming)")]
    private static partial void Busy(ILogger log, string account, string caller, int limit);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Account}: {Caller} calls and is answered ({Incoming})")]
    private static partial void Accepted(ILogger log, string account, string caller, IncomingCalls incoming);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Account}: {Direction} call with {Remote} is over: {Reason} Heard: {Inbound}; sent: {Outbound}")]
    private static partial void Ended(ILogger log, string account, CallDirection direction, string remote, string reason, string inbound, string outbound);
}
