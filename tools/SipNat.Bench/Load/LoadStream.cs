using System.Net;
using SipNat.Bench.Audio;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Load;

/// <summary>One stream of a load run. From <see cref="PacedSender.Start"/> on the sending thread owns it until it is over.</summary>
internal sealed class LoadStream(int number, string label, int port, int frames, Random random) : IOfferedStream
{
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _framesSent;

    /// <summary>The stream's number in the run, from 0; its content depends on it.</summary>
    public int Number { get; } = number;

    public string Label { get; } = label;

    public int Port { get; } = port;

    public G711Variant Codec => G711Variant.Pcmu;

    public uint Ssrc { get; } = (uint)random.NextInt64(1, uint.MaxValue);

    public ushort FirstSequence { get; } = (ushort)random.Next(ushort.MaxValue);

    public uint FirstTimestamp { get; } = (uint)random.NextInt64(uint.MaxValue);

    /// <summary>Where the answer asked RTP to be sent; set before the stream is started.</summary>
    public SocketAddress? Destination { get; set; }

    /// <summary>How many it will send.</summary>
    public int Frames => frames;

    public int FramesSent => Volatile.Read(ref _framesSent);

    public bool IsOver => _framesSent == frames;

    /// <summary>Completes when the last frame has been sent.</summary>
    public Task Sent => _sent.Task;

    public void CountFrame()
    {
        Volatile.Write(ref _framesSent, _framesSent + 1);
        if (IsOver) _sent.TrySetResult();
    }
}
