using System.Net.Sockets;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// Media sockets on any system: each is asked every few milliseconds whether something has come. What ICMP says is asked
/// for on 64-bit Linux, which tells it with the next call on the socket.
/// </summary>
internal sealed class PolledSockets(IMediaReceiver receiver, ServerClock clock) : IMediaSockets
{
    // So many datagrams are taken from one socket before the next has its turn.
    private const int MaxPerVisit = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly List<MediaSocket> _sockets = [];
    private readonly AutoResetEvent _wake = new(false);
    private readonly ErrorQueue? _errors = EpollSockets.IsSupported ? new(receiver) : null;

    // What fills it is cut off: one byte more than media have.
    private readonly byte[] _buffer = new byte[DatagramBatch.MaxDatagram + 1];

    public int Count => _sockets.Count;

    public int Swept => _sockets.Count;

    public long Overflowed => 0;

    public MediaSocket Add(FlowId flow, Socket socket)
    {
        var added = new MediaSocket(flow, socket) { Place = _sockets.Count };
        if (_errors is not null) added.AskForErrors();
        _sockets.Add(added);
        return added;
    }

    public void Remove(MediaSocket socket)
    {
        var last = _sockets[^1];
        (_sockets[socket.Place], last.Place) = (last, socket.Place);
        _sockets.RemoveAt(_sockets.Count - 1);
        socket.Dispose();
    }

    public void Receive(TimeSpan limit)
    {
        _wake.WaitOne(_sockets.Count > 0 && limit > Interval ? Interval : limit < TimeSpan.Zero ? TimeSpan.Zero : limit);
        for (var i = _sockets.Count - 1; i >= 0; i--)
        {
            // What is handed over may close sockets.
            if (i < _sockets.Count) Drain(_sockets[i]);
        }
    }

    public void Drain(MediaSocket socket)
    {
        for (var taken = 0; taken < MaxPerVisit && socket.TryReceive(_buffer, out var length, out var from); taken++)
        {
            if (length > DatagramBatch.MaxDatagram) continue;

            receiver.Handle(socket, [new ReceivedDatagram(clock.Now, from, 0, length)], _buffer);
        }

        if (socket.HasErrors && !socket.IsClosed) _errors?.Read(socket);
    }

    public void Wake()
    {
        try
        {
            _wake.Set();
        }
        catch (ObjectDisposedException)
        {
            // The thread is over: nobody waits.
        }
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
        _wake.Dispose();
        _errors?.Dispose();
    }
}
