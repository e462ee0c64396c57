using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SipNat.Bench.Sip;

/// <summary>SIP over one TCP connection to the recorder, which carries both directions (RFC 5923 in its simplest form).</summary>
public sealed class TcpSipChannel : ISipChannel
{
    private const int MaxMessage = 65_535;

    private readonly Socket _socket;
    private readonly IPEndPoint _remote;
    private readonly byte[] _buffer = new byte[MaxMessage];
    private int _filled;

    private TcpSipChannel(Socket socket)
    {
        _socket = socket;
        Local = (IPEndPoint)socket.LocalEndPoint!;
        _remote = (IPEndPoint)socket.RemoteEndPoint!;
    }

    public IPEndPoint Local { get; }

    public string Transport => "TCP";

    public bool IsReliable => true;

    public long ReceivedAt { get; private set; }

    public static async Task<TcpSipChannel> ConnectAsync(IPEndPoint local, IPEndPoint server, CancellationToken stop)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(local);
            await socket.ConnectAsync(server, stop);
            return new TcpSipChannel(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, IPEndPoint destination, CancellationToken stop)
    {
        while (!message.IsEmpty) message = message[await _socket.SendAsync(message, stop)..];
    }

    public async ValueTask<(byte[] Message, IPEndPoint From)> ReceiveAsync(CancellationToken stop)
    {
        while (true)
        {
            if (TryTakeMessage(out var message)) return (message, _remote);

            var room = _buffer.AsMemory(_filled);
            var received = room.IsEmpty ? 0 : await ReceiveSomeAsync(room, stop);
            if (received == 0) return ([], _remote);

            _filled += received;
            ReceivedAt = Stopwatch.GetTimestamp();
        }
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask<int> ReceiveSomeAsync(Memory<byte> room, CancellationToken stop)
    {
        try
        {
            return await _socket.ReceiveAsync(room, stop);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    // RFC 3261 §18.3: Content-Length frames a message; CRLF between messages is a keepalive.
    private bool TryTakeMessage(out byte[] message)
    {
        message = [];
        var held = _buffer.AsSpan(0, _filled);
        if (held.StartsWith("\r\n"u8))
        {
            message = Take(2);
            return true;
        }

        var blank = held.IndexOf("\r\n\r\n"u8);
        if (blank < 0) return false;

        var length = blank + 4 + ContentLength(Encoding.UTF8.GetString(held[..blank]));
        if (length > _filled) return false;

        message = Take(length);
        return true;
    }

    private byte[] Take(int length)
    {
        var taken = _buffer[..length];
        _buffer.AsSpan(length, _filled - length).CopyTo(_buffer);
        _filled -= length;
        return taken;
    }

    private static int ContentLength(string head)
    {
        foreach (var line in head.Split("\r\n"))
        {
            var pair = line.Split(':', 2, StringSplitOptions.TrimEntries);
            var named = pair[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || pair[0].Equals("l", StringComparison.OrdinalIgnoreCase);
            if (named && pair.Length == 2 && int.TryParse(pair[1], NumberStyles.None, null, out var length)) return length;
        }

        return 0;
    }
}
