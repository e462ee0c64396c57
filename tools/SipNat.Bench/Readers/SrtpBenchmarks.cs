using BenchmarkDotNet.Attributes;
using SipNat.Bench.Rtp;
using SipNat.Media.Srtp;

namespace SipNat.Bench.Readers;

/// <summary>What it costs to protect, and to check and decrypt, 20 ms of G.711.</summary>
[MemoryDiagnoser]
public class SrtpBenchmarks
{
    // More than the replay list remembers, so that each may come once more after the others.
    private const int Packets = 1 << 15;

    private readonly byte[] _plain = new byte[256];
    private byte[][] _packets = [];
    private byte[] _buffer = [];
    private SrtpMasterKey _master = null!;
    private SrtpContext _sender = null!;
    private SrtpContext _receiver = null!;
    private ushort _sequence;
    private int _next;

    [Params("AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM")]
    public string Suite { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _master = SrtpMasterKey.Draw(SrtpProfile.All.Single(p => p.Name == Suite), new Random(1));
        (_sender, _receiver) = (new(_master), new(_master));
        _buffer = new byte[RtpFrames.HeaderLength + 160 + _sender.Overhead];
        using SrtpContext other = new(_master);
        _packets = [.. Enumerable.Range(0, Packets).Select(i => Protected(other, (ushort)i))];
    }

    [GlobalCleanup]
    public void Finish()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Benchmark]
    public bool Protect()
    {
        RtpFrames.WriteHeader(_buffer, 0, false, _sequence++, 160, 0x1234);
        return _sender.TryProtect(_buffer);
    }

    /// <summary>Beside the packet, a context for each 32,768 of them, as their indices come once only.</summary>
    [Benchmark]
    public SrtpDefect Unprotect()
    {
        if (_next == Packets)
        {
            _receiver.Dispose();
            (_receiver, _next) = (new(_master), 0);
        }

        return _receiver.Unprotect(_packets[_next++], _plain, out _);
    }

    /// <summary>A packet of somebody else.</summary>
    [Benchmark]
    public SrtpDefect Refuse()
    {
        RtpFrames.WriteHeader(_buffer, 0, false, _sequence++, 160, 0x5678);
        return _receiver.Unprotect(_buffer, _plain, out _);
    }

    private static byte[] Protected(SrtpContext sender, ushort sequence)
    {
        var packet = new byte[RtpFrames.HeaderLength + 160 + sender.Overhead];
        RtpFrames.WriteHeader(packet, 0, false, sequence, (uint)(160 * sequence), 0x1234);
        return sender.TryProtect(packet) ? packet : throw new InvalidDataException();
    }
}
