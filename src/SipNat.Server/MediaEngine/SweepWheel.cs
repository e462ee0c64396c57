namespace SipNat.Server.MediaEngine;

/// <summary>
/// Sockets that are visited in turn: a slice of them at each step, all of them in <see cref="Slices"/> steps. What a packet
/// costs is dominated by the visit, so that one visit for ten packets is the cheapest way to receive.
/// </summary>
internal sealed class SweepWheel
{
    /// <summary>Between two steps.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    /// <summary>With <see cref="Step"/> each socket is visited every fifth of a second: ten packets of 20 ms.</summary>
    public const int Slices = 40;

    private readonly List<MediaSocket>[] _slices = [.. Enumerable.Range(0, Slices).Select(_ => new List<MediaSocket>())];
    private int _next;

    public int Count { get; private set; }

    /// <summary>Puts a socket into the slice that has the fewest.</summary>
    public void Add(MediaSocket socket)
    {
        var slice = 0;
        for (var i = 1; i < Slices; i++)
        {
            if (_slices[i].Count < _slices[slice].Count) slice = i;
        }

        (socket.Slice, socket.Place) = (slice, _slices[slice].Count);
        _slices[slice].Add(socket);
        Count++;
    }

    public void Remove(MediaSocket socket)
    {
        if (socket.Slice < 0) return;

        var slice = _slices[socket.Slice];
        var last = slice[^1];
        (slice[socket.Place], last.Place) = (last, socket.Place);
        slice.RemoveAt(slice.Count - 1);
        socket.Slice = -1;
        Count--;
    }

    /// <summary>The sockets whose turn it is. Some of them may be removed while they are walked from the last to the first.</summary>
    public List<MediaSocket> TakeTurn()
    {
        var turn = _slices[_next];
        _next = (_next + 1) % Slices;
        return turn;
    }
}
