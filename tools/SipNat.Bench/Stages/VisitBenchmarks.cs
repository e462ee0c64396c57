using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using SipNat.Bench.Rtp;
using SipNat.Server.MediaEngine;

namespace SipNat.Bench.Stages;

/// <summary>What it costs a packet to be fetched: sockets with ten packets each, every one of them visited once (Linux).</summary>
[MemoryDiagnoser]
[IterationCount(20)]
public class VisitBenchmarks
{
    private const int Sockets = 400;
    private const int PacketLength = RtpFrames.HeaderLength + 160;

    private readonly List<Socket> _sockets = [];
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _packet = new byte[PacketLength];
    private DatagramBatch _batch = null!;
    private int[] _descriptors = [];

    [GlobalSetup]
    public void Prepare()
    {
        if (!EpollSockets.IsSupported) throw new PlatformNotSupportedException("The fast engine is for 64-bit Linux.");

        _batch = new(new(TimeProvider.System));
        for (var i = 0; i < Sockets; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            LinuxSockets.TrySwitchOn((int)socket.Handle, LinuxSockets.TimestampNanoseconds);
            LinuxSockets.TrySwitchOn((int)socket.Handle, LinuxSockets.QueueOverflow);
            _sockets.Add(socket);
        }

        _descriptors = [.. _sockets.Select(socket => (int)socket.Handle)];
    }

    [IterationSetup]
    public void Send()
    {
        foreach (var target in _sockets.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Serialize()))
        {
            for (var i = 0; i < StageBenchmarks.PacketsPerVisit; i++) _sender.SendTo(_packet, SocketFlags.None, target);
        }
    }

    [Benchmark(OperationsPerInvoke = Sockets * StageBenchmarks.PacketsPerVisit)]
    public int Visit()
    {
        var received = 0;
        _batch.LookAtClock();
        foreach (var descriptor in _descriptors)
        {
            uint overflowed = 0;
            _batch.Receive(descriptor, ref overflowed);
            received += _batch.Count;
        }

        return received == Sockets * StageBenchmarks.PacketsPerVisit ? received : throw new InvalidDataException($"Only {received} packets came.");
    }

    [GlobalCleanup]
    public void Close()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _sender.Dispose();
        _batch.Dispose();
    }
}
