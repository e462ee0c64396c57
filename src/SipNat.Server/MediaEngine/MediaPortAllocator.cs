using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// Binds pairs of UDP sockets from a range of ports: RTP on an even one, RTCP on the next (RFC 3550 §11). It goes round
/// the range, so that the number of a closed port comes back last. A request costs the same whether the range is empty
/// or full. Thread safe.
/// </summary>
/// <param name="maxStreams">How many pairs the process has descriptors for, with a file for each; null for no limit.</param>
public sealed class MediaPortAllocator(int firstPort, int lastPort, int dscp, int? maxStreams = null)
{
    // Five seconds of one stream at 50 packets a second, with what the kernel adds to each.
    private const int ReceiveBuffer = 256 * 1024;

    // Ports that other programs hold, at most so many are passed over for one request.
    private const int MaxTries = 64;

    private readonly Lock _gate = new();
    private int _bound;
    private readonly int _pairs = (lastPort - firstPort + 1) / 2;
    private readonly SortedDictionary<string, Queue<int>> _free = new(StringComparer.Ordinal);

    /// <summary>How many pairs the range holds.</summary>
    public int Pairs => _pairs;

    /// <summary>How many streams there may be at one time.</summary>
    public int Streams => Math.Min(_pairs, maxStreams ?? _pairs);

    /// <summary>Told of the RTP address of each pair that was bound; must not block.</summary>
    public Action<TransportAddress>? Bound { get; init; }

    /// <summary>Told of the RTP address of each pair that was closed; must not block.</summary>
    public Action<TransportAddress>? Closed { get; init; }

    /// <summary>Binds the next free pair on an internal address; null, with the reason, where there is none.</summary>
    public (Socket Rtp, Socket Rtcp)? TryBind(TransportAddress local, out string reason)
    {
        lock (_gate) return Bind(local, out reason);
    }

    /// <summary>A pair has been closed.</summary>
    /// <param name="rtp">The address of its RTP socket.</param>
    public void Release(TransportAddress rtp)
    {
        lock (_gate)
        {
            _bound--;
            FreeOf(rtp).Enqueue(rtp.Port);
            Closed?.Invoke(rtp);
        }
    }

    private (Socket Rtp, Socket Rtcp)? Bind(TransportAddress local, out string reason)
    {
        reason = $"all {_pairs} port pairs of {firstPort}–{lastPort} on {local.AddressText} are in use (Media:FirstPort, Media:LastPort)";
        if (_bound >= maxStreams)
        {
            reason = $"{_bound} streams are all that the limit of open files (RLIMIT_NOFILE) has room for, {DescriptorLimit.PerStream} for each";
            return null;
        }

        var free = FreeOf(local);
        for (var tries = Math.Min(free.Count, MaxTries); tries > 0; tries--)
        {
            var port = free.Dequeue();
            if (TryBindOne(local.WithPort(port), ref reason) is { } rtp)
            {
                if (TryBindOne(local.WithPort(port + 1), ref reason) is { } rtcp)
                {
                    _bound++;
                    Bound?.Invoke(local.WithPort(port));
                    return (rtp, rtcp);
                }

                rtp.Dispose();
            }

            free.Enqueue(port);
        }

        return null;
    }

    private Queue<int> FreeOf(TransportAddress local)
    {
        if (!_free.TryGetValue(local.AddressText, out var free))
        {
            _free.Add(local.AddressText, free = new(Enumerable.Range(0, _pairs).Select(pair => firstPort + (2 * pair))));
        }

        return free;
    }

    private Socket? TryBindOne(TransportAddress local, ref string reason)
    {
        Socket? socket = null;
        try
        {
            socket = new(local.Family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            socket.ExclusiveAddressUse = true;
            socket.Bind(local.ToIPEndPoint());
            socket.ReceiveBufferSize = ReceiveBuffer;
            MarkDscp(socket, local);
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            if (e.SocketErrorCode is not SocketError.AddressAlreadyInUse) reason = $"{local} cannot be bound: {e.Message}";
            return null;
        }
    }

    // DSCP is the upper six bits of the old TOS octet (RFC 2474 §3). Some systems refuse it to users: then packets go unmarked.
    private void MarkDscp(Socket socket, TransportAddress local)
    {
        if (dscp == 0) return;

        try
        {
            if (local.IsIPv4) socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.TypeOfService, dscp << 2);
            else if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(Ipv6Level, Ipv6TrafficClass, BitConverter.GetBytes(dscp << 2));
        }
        catch (SocketException)
        {
            DscpRefused = true;
        }
    }

    /// <summary>Whether the system has refused to mark packets with <c>Media:Dscp</c>.</summary>
    public bool DscpRefused { get; private set; }

    // linux/in6.h: IPPROTO_IPV6 and IPV6_TCLASS.
    private const int Ipv6Level = 41;
    private const int Ipv6TrafficClass = 67;
}
