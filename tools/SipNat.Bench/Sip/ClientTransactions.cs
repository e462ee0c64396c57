using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace SipNat.Bench.Sip;

/// <summary>
/// The client's half of SIP transactions over one channel: requests are sent again until they are answered
/// (RFC 3261 §17.1), requests of the recorder are answered once and their answer is repeated to repetitions (§17.2).
/// </summary>
public sealed class ClientTransactions(ISipChannel channel, Func<SipText, IPEndPoint, byte[]?> answer, Action<SipText, IPEndPoint> responseSeen)
{
    private static readonly TimeSpan T1 = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan T2 = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan TimerF = T1 * 64;

    private readonly ConcurrentDictionary<string, Channel<SipText>> _waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte[]> _answered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string CallId, int CSeq), (byte[] Ack, IPEndPoint Destination)> _acks = new();

    public ISipChannel Channel => channel;

    /// <summary>Receives until stopped or until the connection ends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var (bytes, from) = await channel.ReceiveAsync(stop);
                if (bytes.Length == 0) return;
                if (!SipText.TryRead(bytes, out var message)) continue;

                await (message!.IsResponse ? HandleResponseAsync(message, from, stop) : HandleRequestAsync(message, from, stop));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The session has ended.
        }
        finally
        {
            foreach (var waiting in _waiting.Values) waiting.Writer.TryComplete();
        }
    }

    /// <summary>Sends a request and waits for its final response; null when none came.</summary>
    public async Task<SipText?> RequestAsync(OutgoingRequest request, TimeSpan? timeout, CancellationToken stop)
    {
        var responses = System.Threading.Channels.Channel.CreateBounded<SipText>(16);
        var key = request.Branch + request.Method;
        _waiting[key] = responses;
        try
        {
            return await ExchangeAsync(request, responses.Reader, timeout ?? TimerF, stop);
        }
        finally
        {
            _waiting.TryRemove(key, out _);
        }
    }

    /// <summary>Sends the ACK of a 200 and keeps it, so that each repetition of that 200 is acknowledged again (§13.2.2.4).</summary>
    public async Task AcknowledgeAsync(ClientDialog dialog, OutgoingRequest invite, CancellationToken stop)
    {
        var ack = (Bytes: dialog.Acknowledge(invite.CSeq), dialog.Destination);
        _acks[(dialog.CallId, invite.CSeq)] = ack;
        await channel.SendAsync(ack.Bytes, ack.Destination, stop);
    }

    private async Task<SipText?> ExchangeAsync(OutgoingRequest request, ChannelReader<SipText> responses, TimeSpan timeout, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(timeout);
        var wait = channel.IsReliable ? Timeout.InfiniteTimeSpan : T1;
        await channel.SendAsync(request.Bytes, request.Destination, stop);
        try
        {
            while (true)
            {
                if (await NextAsync(responses, wait, limit.Token) is { } response)
                {
                    if (response.Status >= 200) return response;

                    // A provisional response ends the repetitions of an INVITE and slows those of the others (§17.1.2.2).
                    wait = request.IsInvite ? Timeout.InfiniteTimeSpan : channel.IsReliable ? wait : T2;
                    continue;
                }

                await channel.SendAsync(request.Bytes, request.Destination, limit.Token);
                wait = request.IsInvite ? wait * 2 : wait * 2 < T2 ? wait * 2 : T2;
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    private static async Task<SipText?> NextAsync(ChannelReader<SipText> responses, TimeSpan wait, CancellationToken stop)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (wait != Timeout.InfiniteTimeSpan) pause.CancelAfter(wait);
        try
        {
            return await responses.ReadAsync(pause.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async ValueTask HandleResponseAsync(SipText response, IPEndPoint from, CancellationToken stop)
    {
        responseSeen(response, from);
        if (_waiting.TryGetValue(response.Branch + response.Method, out var waiting))
        {
            waiting.Writer.TryWrite(response);
        }
        else if (response.Status is >= 200 and < 300 && response.Method == "INVITE" && _acks.TryGetValue((response.CallId, response.CSeq), out var ack))
        {
            await TrySendAsync(ack.Ack, ack.Destination, stop);
        }
    }

    private async ValueTask HandleRequestAsync(SipText request, IPEndPoint from, CancellationToken stop)
    {
        var key = request.Branch + request.Method;
        if (!_answered.TryGetValue(key, out var bytes))
        {
            bytes = answer(request, from);
            if (bytes is null) return;

            _answered[key] = bytes;
        }

        await TrySendAsync(bytes, from, stop);
    }

    private async ValueTask TrySendAsync(byte[] bytes, IPEndPoint destination, CancellationToken stop)
    {
        try
        {
            await channel.SendAsync(bytes, destination, stop);
        }
        catch (SocketException)
        {
            // Nobody to tell: the peer repeats its message and is answered then.
        }
    }
}

/// <summary>A request ready to be sent.</summary>
public sealed record OutgoingRequest(string Method, string Branch, int CSeq, byte[] Bytes, IPEndPoint Destination)
{
    public bool IsInvite => Method == "INVITE";
}
