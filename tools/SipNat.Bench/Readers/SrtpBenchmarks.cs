using BenchmarkDotNet.Attributes;
using SipNat.Bench.Rtp;
using SipNat.Media.Srtp;

namespace SipNat.Bench.Readers;

/// <summary>
/// What it costs to protect, and to check and decrypt, 20 ms of G.711, packet by packet and ten together. Many short rounds:
/// the least of them is what it takes where nobody else wants the core.
/// </summary>
[MemoryDiagnoser, MinColumn, IterationTime(10), IterationCount(100)]
public class SrtpBenchmarks
{
    // More than the replay list remembers, so that each may come once more after the others.
    private const int Packets = 32_760;

    // What a socket has that is visited every fifth of a second.
    private const int Visit = 10;

    private readonly byte[] _plain = new byte[256];
    private readonly Range[] _visit = new Range[Visit];
    private byte[] _packets = [];
    private byte[] _buffer = [];
    private SrtpMasterKey _master = null!;
    private SrtpContext _sender = null!;
    private SrtpReceiver _receiver = null!;
    private SrtpReceiver _library = null!;
    private ushort _sequence;
    private int _length;
    private int _next;

    [Params("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM")]
    public string Suite { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _master = SrtpMasterKey.Draw(SrtpProfile.All.Single(p => p.Name == Suite), new Random(1));
        (_sender, _receiver, _library) = (new(_master), Receiver(SrtpArithmetic.Processor), Receiver(SrtpArithmetic.Library));
        _length = RtpFrames.HeaderLength + 160 + _sender.Overhead;
        (_buffer, _packets) = (new byte[_length], new byte[Packets * _length]);
        using SrtpContext other = new(_master);
        for (var i = 0; i < Packets; i++)
        {
            var packet = _packets.AsSpan(RangeOf(i));
            RtpFrames.WriteHeader(packet, 0, false, (ushort)i, (uint)(160 * i), 0x1234);
            if (!other.TryProtect(packet)) throw new InvalidDataException();
        }
    }

    [GlobalCleanup]
    public void Finish()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _library.Dispose();
    }

    [Benchmark]
    public bool Protect()
    {
        RtpFrames.WriteHeader(_buffer, 0, false, _sequence++, 160, 0x1234);
        return _sender.TryProtect(_buffer);
    }

    /// <summary>Packet by packet, by the library alone.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Visit)]
    public int UnprotectByLibrary() => Unprotect(ref _library, SrtpArithmetic.Library, isAhead: false);

    /// <summary>Packet by packet.</summary>
    [Benchmark(OperationsPerInvoke = Visit)]
    public int Unprotect() => Unprotect(ref _receiver, SrtpArithmetic.Processor, isAhead: false);

    /// <summary>Looked ahead at; the time is that of one packet.</summary>
    [Benchmark(OperationsPerInvoke = Visit)]
    public int UnprotectTogether() => Unprotect(ref _receiver, SrtpArithmetic.Processor, isAhead: true);

    /// <summary>A packet of somebody else.</summary>
    [Benchmark]
    public SrtpDefect Refuse()
    {
        RtpFrames.WriteHeader(_buffer, 0, false, _sequence++, 160, 0x5678);
        return _receiver.Unprotect(default, _buffer, isControl: false, _plain, out _);
    }

    // Beside the packets, a context for each 32,760 of them, as their indices come once only.
    private int Unprotect(ref SrtpReceiver receiver, SrtpArithmetic arithmetic, bool isAhead)
    {
        if (_next == Packets)
        {
            receiver.Dispose();
            (receiver, _next) = (Receiver(arithmetic), 0);
        }

        for (var i = 0; i < Visit; i++) _visit[i] = RangeOf(_next + i);
        var batch = isAhead ? receiver.LookAhead(_packets, _visit) : default;
        var genuine = 0;
        for (var i = 0; i < Visit; i++)
        {
            if (receiver.Unprotect(default, _packets.AsSpan(_visit[i]), isControl: false, _plain, out _, batch, i) is SrtpDefect.None) genuine++;
        }

        _next += Visit;
        return genuine == Visit ? genuine : throw new InvalidDataException();
    }

    private Range RangeOf(int packet) => (packet * _length)..((packet + 1) * _length);

    private SrtpReceiver Receiver(SrtpArithmetic arithmetic)
    {
        SrtpReceiver receiver = new(arithmetic);
        receiver.Agree(default, [_master]);
        return receiver;
    }
}
