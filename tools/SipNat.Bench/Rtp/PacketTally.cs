using System.Net;
using System.Net.Sockets;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Rtp;

/// <summary>Counts what arrives at a socket by its source. Used by the pacing thread, read after it has ended.</summary>
public sealed class PacketTally
{
    private const int MaxSources = 64;

    private readonly Dictionary<IPEndPoint, (int Packets, long Bytes, TimeSpan First, TimeSpan Last)> _sources = [];
    private readonly byte[] _buffer = new byte[2048];

    public IReadOnlyList<PacketsFrom> Sources =>
    [
        .. _sources.Select(pair => new PacketsFrom(
            pair.Key.ToString(), pair.Value.Packets, pair.Value.Bytes, Math.Round(pair.Value.First.TotalSeconds, 3), Math.Round(pair.Value.Last.TotalSeconds, 3)))
            .OrderBy(source => source.From, StringComparer.Ordinal),
    ];

    /// <summary>Takes everything that waits at a non-blocking socket.</summary>
    public void Drain(Socket socket, TimeSpan now)
    {
        EndPoint from = new IPEndPoint(socket.AddressFamily is AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (true)
        {
            try
            {
                if (!socket.Poll(0, SelectMode.SelectRead)) return;

                Add((IPEndPoint)Receive(socket, ref from, out var length), length, now);
            }
            catch (SocketException)
            {
                // An ICMP error of an earlier datagram is read like one; there may be a datagram behind it.
                if (socket.Available == 0) return;
            }
        }
    }

    private EndPoint Receive(Socket socket, ref EndPoint from, out int length)
    {
        length = socket.ReceiveFrom(_buffer, ref from);
        return from;
    }

    private void Add(IPEndPoint from, int bytes, TimeSpan now)
    {
        if (!_sources.TryGetValue(from, out var seen))
        {
            if (_sources.Count == MaxSources) return;
            seen.First = now;
        }

        _sources[from] = (seen.Packets + 1, seen.Bytes + bytes, seen.First, now);
    }
}
