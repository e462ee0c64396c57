using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Rtp;

/// <summary>An RTP socket on an even port and its RTCP socket on the next one (RFC 3550 §11).</summary>
public sealed class StreamSockets : IDisposable
{
    private const int Attempts = 200;
    private const int FirstEphemeral = 20_000;
    private const int LastEphemeral = 60_000;

    private StreamSockets(Socket rtp, Socket rtcp) => (Rtp, Rtcp) = (rtp, rtcp);

    public Socket Rtp { get; }

    public Socket Rtcp { get; }

    public int Port => ((IPEndPoint)Rtp.LocalEndPoint!).Port;

    /// <summary>Binds the given even port, or any free pair for 0.</summary>
    public static StreamSockets Bind(IPAddress local, int port)
    {
        if (port != 0) return BindPair(local, port);

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return BindPair(local, Random.Shared.Next(FirstEphemeral / 2, LastEphemeral / 2) * 2);
            }
            catch (SocketException) when (attempt < Attempts)
            {
                // Taken: another pair is drawn.
            }
        }
    }

    public void Dispose()
    {
        Rtp.Dispose();
        Rtcp.Dispose();
    }

    private static StreamSockets BindPair(IPAddress local, int port)
    {
        var rtp = BindOne(local, port);
        try
        {
            return new(rtp, BindOne(local, port + 1));
        }
        catch
        {
            rtp.Dispose();
            throw;
        }
    }

    private static Socket BindOne(IPAddress local, int port)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Bind(new IPEndPoint(local, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
