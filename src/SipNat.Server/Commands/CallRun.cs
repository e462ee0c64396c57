using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary>One call of a command: its audio, its progress on standard error, and its end.</summary>
internal sealed class CallRun : IAsyncDisposable
{
    private const int WideSampleRate = 16_000;
    private const int NarrowSampleRate = 8_000;

    /// <summary>How long a registration may take: a server that is dead, and the next one.</summary>
    private static readonly TimeSpan RegisterLimit = TimeSpan.FromSeconds(40);

    // The answer to a BYE, and its repetitions.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    private readonly CommandContext _context;
    private readonly AccountSettings? _account;
    private readonly AudioSource _source;
    private readonly string? _record;
    private readonly TaskCompletionSource<AccountSnapshot> _registered = NewSource<AccountSnapshot>();
    private readonly TaskCompletionSource _answered = NewSource();
    private readonly TaskCompletionSource _complete = NewSource();
    private SessionId? _id;
    private string _told = "";
    private bool _hasAudio;

    /// <param name="source">What the other side hears.</param>
    public CallRun(CommandContext context, AccountSettings? account, AudioSource source)
    {
        (_context, _account, _source) = (context, account, source);
        _record = context.Arguments.GetValue(CallArguments.Record);
        Host = new(context.Options, context.Logs, context.Arguments.GetValue(TraceArgument.Trace)) { CallChanged = Take };
    }

    public EndpointHost Host { get; }

    /// <summary>The call as it was told last; null before the first word of it.</summary>
    public CallSnapshot? Last { get; private set; }

    /// <summary>Whether it is recorded, which the other side is told.</summary>
    public CallRecording Recording => _record is null ? CallRecording.None : CallRecording.ByOwner;

    /// <summary>Why there was no call at all; null where there was one.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether an incoming call is accepted; false leaves it to ring.</summary>
    public Predicate<CallSnapshot> Accepts { get; init; } = static _ => false;

    /// <summary>Registers the account, where there is one. False where that did not succeed.</summary>
    public async Task<bool> RegisterAsync(CancellationToken stop)
    {
        await Host.StartAsync(stop);
        if (_account is null) return true;

        Host.Register(_account, HandleAccount, Recording);
        try
        {
            var account = await _registered.Task.WaitAsync(RegisterLimit, stop);
            if (account.State is AccountState.Registered) return true;

            Problem = $"The account {account.Name} is not registered: {account.Text}.";
        }
        catch (TimeoutException)
        {
            Problem = $"The account {_account.Name} was not registered within {RegisterLimit.TotalSeconds:F0} s.";
        }

        return false;
    }

    /// <summary>From the call's begin to its end: it is given digits, a duration, and hung up at Ctrl-C.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            await Task.WhenAny(_answered.Task, _complete.Task).WaitAsync(stop);
            if (_answered.Task.IsCompleted) await TalkAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            HangUp("Interrupted.");
        }

        await Task.WhenAny(_complete.Task, Task.Delay(EndLimit, CancellationToken.None));
        await Host.WaitForCallsAsync(EndLimit);
    }

    public async ValueTask DisposeAsync()
    {
        if (_account is not null) await Host.EndAsync();
        await Host.DisposeAsync();
    }

    private async Task TalkAsync(CancellationToken stop)
    {
        if (_context.Arguments.GetValue(CallArguments.Dtmf) is { } digits) SendDigits(digits);
        if (_context.Arguments.GetValue(CallArguments.Duration) is { } seconds)
        {
            await Task.WhenAny(_complete.Task, Task.Delay(TimeSpan.FromSeconds(seconds), stop)).WaitAsync(stop);
            HangUp("The call has lasted as long as it was to.");
        }

        await _complete.Task.WaitAsync(stop);
    }

    private void SendDigits(string digits)
    {
        if (_id is not { } id) return;

        if (_account?.Dtmf is DtmfMethod.Info)
        {
            foreach (var digit in digits.Where(d => d != ',')) Host.Post((now, core) => core.SendCallDigit(now, id, char.ToUpperInvariant(digit)));
            return;
        }

        Host.Post(new MediaCommand.SendDigits(id, 0, digits.ToUpperInvariant(), _account?.Dtmf is DtmfMethod.InBand ? DigitTransport.InBand : DigitTransport.Events));
    }

    private void HangUp(string reason)
    {
        if (_id is { } id) Host.Post((now, core) => core.HangUpCall(now, id, reason));
        else _complete.TrySetResult();
    }

    private void HandleAccount(AccountSnapshot account)
    {
        if (!_context.Json) _context.Error.WriteLine($"{account.Name}: {SafeText.EscapeLines(account.Text)}");
        if (account is { State: AccountState.Registered, IsSettled: true } or { State: AccountState.Refused or AccountState.Waiting }) _registered.TrySetResult(account);
    }

    private void Take(CallSnapshot call)
    {
        if (_id is { } known && known != call.Id)
        {
            // One call is what a command is for; one that takes its place by a transfer is followed in its stead.
            if (call.TransferOf != known)
            {
                Host.Post((now, core) => core.RejectCall(now, call.Id, 486));
                return;
            }

            _hasAudio = false;
        }

        (_id, Last) = (call.Id, call);

        Tell(call);
        if (call is { Direction: CallDirection.Incoming, State: CallState.Ringing } && Accepts(call)) Host.Post((now, core) => core.AcceptCall(now, call.Id));
        if (!_hasAudio && call.State is not CallState.Preparing and not CallState.Ending and not CallState.Over) BeginAudio(call);
        if (call.AnsweredAt is not null) _answered.TrySetResult();
        if (call.IsComplete) _complete.TrySetResult();
    }

    private void BeginAudio(CallSnapshot call)
    {
        _hasAudio = true;
        Host.Post(new MediaCommand.Play(call.Id, 0, _source));
        if (_record is null) return;

        var isWide = (_account?.Codecs ?? CodecNames.Default).Any(name => name is not "PCMU" and not "PCMA");
        Host.Record(call.Id, _record, isWide ? WideSampleRate : NarrowSampleRate);
    }

    private void Tell(CallSnapshot call)
    {
        if (_context.Json) return;

        var text = call.State switch
        {
            CallState.Preparing => "preparing",
            CallState.Calling => $"calls {call.Remote}",
            CallState.Ringing when call.Direction is CallDirection.Incoming => $"{call.Remote} calls",
            CallState.Ringing => $"rings ({call.Status} {call.Reason})",
            CallState.Answered => "answered",
            CallState.Established => $"up{(call.Codec is { } codec ? $", {codec}" : "")}{(call.IsEncrypted ? ", encrypted" : "")}",
            _ => call.EndReason,
        };
        if (text == _told) return;

        _told = text;
        _context.Error.WriteLine(SafeText.EscapeLines(text));
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
