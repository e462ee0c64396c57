using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.NatLab.Ice;

/// <summary>Gives an <see cref="IceDriver"/> its socket and its clock.</summary>
internal static class IceDriverHost
{
    // How long a description may lie in the folder before it is seen.
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);

    public static void Run(IceDriverOptions options, TextWriter output, CancellationToken stop)
    {
        using var socket = new Socket(options.Local.Family, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(options.Local.ToIPEndPoint());
        var clock = Stopwatch.StartNew();
        var report = new IceReport(output);
        var driver = new IceDriver(default, TransportAddress.From((IPEndPoint)socket.LocalEndPoint!), options, report);
        var buffer = new byte[ushort.MaxValue];
        while (!driver.HasEnded && !stop.IsCancellationRequested)
        {
            driver.HandleTimeout(new(clock.Elapsed.Ticks));
            Drain(driver, socket);
            var wait = driver.Deadline is { } due && due - new Instant(clock.Elapsed.Ticks) is var left && left < Glance ? left : Glance;
            if (!socket.Poll(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, SelectMode.SelectRead)) continue;

            while (socket.Available > 0) Receive(driver, socket, buffer, new(clock.Elapsed.Ticks));
        }

        report.Summarize();
    }

    private static void Receive(IceDriver driver, Socket socket, byte[] buffer, Instant now)
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        try
        {
            var length = socket.ReceiveFrom(buffer, ref from);
            driver.HandleDatagram(now, TransportAddress.From((IPEndPoint)from), buffer.AsSpan(0, length));
            Drain(driver, socket);
        }
        catch (SocketException)
        {
            // ICMP for an earlier datagram; checks that nobody answers say the same.
        }
    }

    private static void Drain(IceDriver driver, Socket socket)
    {
        while (driver.Outbox.TryTake(out var transmit))
        {
            try
            {
                socket.SendTo(transmit.Payload, transmit.Destination.ToIPEndPoint());
            }
            catch (SocketException)
            {
                // No route there: the check times out.
            }

            driver.Outbox.Release(transmit);
        }
    }
}
