using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text.Unicode;
using System.Threading.Channels;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// One TCP connection, with or without TLS and a WebSocket, that carries SIP (RFC 3261 §18.3, RFC 7118) or TURN: what is received is cut into
/// messages, what is sent goes through a bounded queue, and a keepalive ping of SIP is answered with a pong (RFC 5626
/// §4.4.1).
/// </summary>
internal sealed class TcpFlow : IFlow, IDisposable
{
    private const int ReceiveBufferBytes = 16 * 1024;
    private const int MaxQueuedMessages = 1024;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);

    // What the peer may take to end its side once we have ended ours.
    private static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(1);

    private readonly Connection _connection;
    private readonly TransportLimits _limits;
    private readonly ConnectionOptions _options;
    private readonly WebSocketFraming? _messages;
    private readonly IStreamFramer _framer;
    private readonly CancellationTokenSource _end = new();
    private readonly Channel<Queued> _queue = Channel.CreateBounded<Queued>(
        new BoundedChannelOptions(MaxQueuedMessages) { SingleReader = true });

    private int _unframed;
    private int _queuedBytes;
    private bool _isEnding;
    private TcpFlowEnd _reason;

    public TcpFlow(FlowId id, Connection connection, TransportLimits limits, ConnectionOptions options)
    {
        (Id, _connection, _limits, _options) = (id, connection, limits, options);
        _messages = connection.WebSocket is null ? null : new();
        _framer = _messages ?? options.Framing.Create();
        Local = TransportAddress.From((IPEndPoint)connection.Socket.LocalEndPoint!);
        Remote = TransportAddress.From((IPEndPoint)connection.Socket.RemoteEndPoint!);
    }

    public FlowId Id { get; }

    public TransportProtocol Transport => _connection.Transport;

    public TransportAddress Local { get; }

    public TransportAddress Remote { get; }

    public bool IsAccepted => _connection.IsAccepted;

    public string? TlsName => _connection.TlsName;

    public SendOutcome Send(TransportAddress destination, ReadOnlySpan<byte> payload)
    {
        if (_isEnding) return SendOutcome.Failed;

        if (Interlocked.Add(ref _queuedBytes, payload.Length) <= _limits.MaxQueuedBytes)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(payload.Length, 1));
            payload.CopyTo(buffer);
            if (_queue.Writer.TryWrite(new(buffer, payload.Length))) return SendOutcome.Sent;

            ArrayPool<byte>.Shared.Return(buffer);
        }

        Interlocked.Add(ref _queuedBytes, -payload.Length);
        if (_options.DropsWhenFull) return SendOutcome.Dropped;

        // A peer that does not read would keep our memory: a stream cannot lose one message, so the stream ends.
        End(TcpFlowEnd.PeerDoesNotRead, TimeSpan.Zero);
        return SendOutcome.Failed;
    }

    /// <summary>What is queued is still sent, within a short time.</summary>
    public void Close() => End(TcpFlowEnd.ByUs, FlushTimeout);

    /// <summary>Carries messages both ways until either side ends it.</summary>
    public async Task<TcpFlowEnd> RunAsync(IFlowSink sink, CancellationToken stop)
    {
        await using var stopping = stop.UnsafeRegister(static flow => ((TcpFlow)flow!).Close(), this);
        var sending = SendLoopAsync();
        End(await ReceiveLoopAsync(sink), FlushTimeout);
        await sending;
        return _reason;
    }

    public void Dispose()
    {
        _connection.Dispose();
        _end.Dispose();
    }

    private async Task<TcpFlowEnd> ReceiveLoopAsync(IFlowSink sink)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBufferBytes);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        deadline.CancelAfter(_limits.MessageTimeout);
        var (isWaiting, hasTaken) = (true, false);
        try
        {
            while (await ReceiveAsync(buffer, deadline.Token) is { } length)
            {
                if (!TryTakeMessages(sink, buffer.AsSpan(0, length), out var took)) return TcpFlowEnd.NotFramed;

                // One deadline for the first message, and one for each that has begun, whatever the pace of its bytes.
                hasTaken |= took;
                var waits = !hasTaken || _unframed > 0;
                if (took || waits != isWaiting) deadline.CancelAfter(waits ? _limits.MessageTimeout : Timeout.InfiniteTimeSpan);
                isWaiting = waits;
            }

            return TcpFlowEnd.ByPeer;
        }
        catch (OperationCanceledException)
        {
            return TcpFlowEnd.TooSlow;
        }
        catch (Exception error) when (error is IOException or WebSocketException)
        {
            return TcpFlowEnd.Broken;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Null where the peer has said its last word. Of a WebSocket a message may end with nothing more in it.
    private async ValueTask<int?> ReceiveAsync(byte[] buffer, CancellationToken stop)
    {
        if (_connection.WebSocket is not { } webSocket) return await _connection.Stream.ReadAsync(buffer.AsMemory(), stop) is > 0 and var length ? length : null;

        var received = await webSocket.ReceiveAsync(buffer.AsMemory(), stop);
        _messages!.IsWhole = received.EndOfMessage;
        return received.MessageType is WebSocketMessageType.Close ? null : received.Count;
    }

    // A script in a browser takes text as text (RFC 7118 §4.2); a body that is none goes as it is.
    private ValueTask TransmitAsync(ReadOnlyMemory<byte> message, CancellationToken stop) => _connection.WebSocket is { } webSocket
        ? webSocket.SendAsync(message, Utf8.IsValid(message.Span) ? WebSocketMessageType.Text : WebSocketMessageType.Binary, endOfMessage: true, stop)
        : _connection.Stream.WriteAsync(message, stop);

    // A WebSocket has its own way to say it, and puts its stream away once both sides have. To a peer that has ended its side,
    // or has broken a rule, there is nothing to say.
    private Task SayFarewellAsync(CancellationToken stop) => (_connection.WebSocket, _reason) switch
    {
        ({ } webSocket, _) => webSocket.CloseOutputAsync(_reason is TcpFlowEnd.NotFramed ? WebSocketCloseStatus.MessageTooBig : WebSocketCloseStatus.NormalClosure, null, stop),
        (null, TcpFlowEnd.ByUs) => _connection.EndOutputAsync(stop),
        _ => Task.CompletedTask,
    };

    // False where the stream has no further boundaries; what could be cut off it is answered before it closes.
    private bool TryTakeMessages(IFlowSink sink, ReadOnlySpan<byte> received, out bool took)
    {
        took = false;
        _unframed += TextBytes(received);
        _framer.Push(received);
        while (_framer.TryTake(out var message, out var answer))
        {
            if (!answer.IsEmpty)
            {
                Send(Remote, answer);
                continue;
            }

            took = true;
            _unframed -= TextBytes(message);
            sink.Receive(Id, Remote, message);
        }

        return !_framer.IsBroken;
    }

    // Line ends between messages are keepalive and belong to none: they do not count as a message begun.
    private static int TextBytes(ReadOnlySpan<byte> bytes) => bytes.Length - bytes.Count((byte)'\r') - bytes.Count((byte)'\n');

    private async Task SendLoopAsync()
    {
        try
        {
            await foreach (var message in _queue.Reader.ReadAllAsync(_end.Token))
            {
                await TransmitAsync(message.Memory, _end.Token);
                Interlocked.Add(ref _queuedBytes, -message.Length);
                ArrayPool<byte>.Shared.Return(message.Buffer);
            }

            await SayFarewellAsync(_end.Token);
            End(TcpFlowEnd.ByUs, LingerTimeout);
        }
        catch (Exception error) when (error is IOException or WebSocketException or OperationCanceledException)
        {
            End(TcpFlowEnd.Broken, TimeSpan.Zero);
        }
    }

    // The first reason stays. The token is cancelled on the timer's thread and never here: whoever ends the flow may
    // hold the core's lock, and the loops' continuations want it.
    private void End(TcpFlowEnd reason, TimeSpan after)
    {
        if (!Interlocked.Exchange(ref _isEnding, true)) _reason = reason;
        _queue.Writer.TryComplete();
        if (!_end.IsCancellationRequested) _end.CancelAfter(after);
    }

    private readonly record struct Queued(byte[] Buffer, int Length)
    {
        public ReadOnlyMemory<byte> Memory => Buffer.AsMemory(0, Length);
    }
}

/// <summary>Why a connection ended.</summary>
internal enum TcpFlowEnd
{
    ByPeer,
    ByUs,

    /// <summary>No message, or not the rest of one, within the time allowed.</summary>
    TooSlow,

    /// <summary>What came cannot be cut into messages.</summary>
    NotFramed,
    PeerDoesNotRead,

    /// <summary>Reset, timed out or unreachable.</summary>
    Broken,
}
