using System.Buffers.Binary;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Media.Srtp;
using SipNat.Simulation;
using SipNat.Simulation.Srtp;
using SipNat.Sip.Sdp;
using SipNat.Wire;
using ReceivedDatagram = SipNat.Endpoint.Media.ReceivedDatagram;

namespace SipNat.Tests.Endpoint.Srtp;

/// <summary>What a socket of an encrypted stream had when it was visited.</summary>
public sealed class EncryptedVisitTests
{
    private const int Slot = 2048;
    private const int Frames = 100;
    private static readonly TransportAddress Local = TransportAddress.Parse("198.51.100.10:10000");
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.20:40000");
    private static readonly SessionId Id = new("visited");
    private static readonly MediaPortFlows Flows = new(new(1), Local, new(2), Local.WithPort(10_001));

    private readonly MediaPlane _plane = new(new() { SparePorts = 0 }, new Random(1));
    private readonly byte[] _bytes = new byte[64 * Slot];
    private readonly List<ReceivedDatagram> _visit = [];
    private readonly byte[] _file = new byte[Frames * ScriptedFrame.Length];
    private Instant _now = new(0);
    private SrtpReport? _report;

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80", 1)]
    [InlineData("AES_CM_128_HMAC_SHA1_80", 10)]
    [InlineData("AES_CM_128_HMAC_SHA1_80", 17)] // one more than is looked ahead at
    [InlineData("AES_CM_128_HMAC_SHA1_80", 40)]
    [InlineData("AES_256_CM_HMAC_SHA1_32", 10)]
    [InlineData("AEAD_AES_128_GCM", 10)]
    public void Frames_are_recorded_whole_and_what_is_not_genuine_is_told(string suite, int perVisit)
    {
        PlainSrtp peer = new(suite, Open(suite));
        for (var i = 0; i < Frames; i++)
        {
            var packet = peer.Protect(Frame(i));
            _now += ScriptedFrame.Span;
            if (i % 10 == 5) Arrive([.. packet[..^1], (byte)(packet[^1] ^ 1)]);
            Arrive(packet);
            if (i % 10 == 3) Arrive(packet);
            if (i % 10 == 7) Arrive(packet[..14]);
            if (i % 25 == 9) Arrive(peer.ProtectControl(SenderReport(i)));
            if ((i + 1) % perVisit == 0) Visit();
        }

        Visit();
        _now += ScriptedFrame.Span;
        Close();

        Assert.Equal(Enumerable.Range(0, Frames).SelectMany(i => ScriptedFrame.Payload(0, i)), _file);
        Assert.Equal(new SrtpReport(suite, Accepted: Frames + 4, AuthenticationFailed: 10, Replayed: 10, Refused: 10), _report);
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80")]
    [InlineData("AEAD_AES_128_GCM")]
    public void A_visit_takes_no_memory(string suite)
    {
        const int Warm = 500;
        const int Visits = 2500;
        const int PerVisit = 10;
        using SrtpContext peer = new(new(SrtpProfile.All.Single(p => p.Name == suite), Open(suite)));
        var length = 172 + peer.Overhead;
        var taken = new List<long>();
        var received = new ReceivedDatagram[PerVisit];
        for (var i = 0; i < Visits * PerVisit; i++)
        {
            var at = i % PerVisit;
            _now += ScriptedFrame.Span;
            received[at] = new(_now, Peer, at * Slot, length);
            Frame(i).CopyTo(_bytes, at * Slot);
            peer.TryProtect(_bytes.AsSpan(at * Slot, length));
            if (at < PerVisit - 1) continue;

            var before = GC.GetAllocatedBytesForCurrentThread();
            _plane.HandleBatch(_now, Flows.Rtp, received, _bytes);
            var after = GC.GetAllocatedBytesForCurrentThread();
            if (i >= Warm * PerVisit) taken.Add(after - before);
            if (_plane.Deadline <= _now) _plane.HandleTimeout(_now);
            Drain();
        }

        // Every third visit fills a block on its way to the disk, which is pooled as well. A test beside this one takes some
        // from the pool.
        taken.Sort();
        Assert.Equal((0, 0), (taken[(Visits - Warm) / 2], taken[(Visits - Warm) * 98 / 100]));
        Close();
        Assert.Equal(Visits * PerVisit, _report!.Accepted);
    }

    private byte[] Open(string suite)
    {
        var profile = SrtpProfile.All.Single(p => p.Name == suite);
        var key = new byte[profile.MasterLength];
        new Random(5).NextBytes(key);
        _plane.HandleCommand(_now, new MediaCommand.Open(Id, Local, 1));
        Assert.True(_plane.TryTakePortRequest(out _));
        _plane.HandlePortBound(_now, Flows);
        StreamKeys keys = new([new(profile, key)], SrtpMasterKey.Draw(profile, new Random(6)));
        MediaStreamSettings stream = new(0, 0, [new(0, PayloadFormat.Pcmu)], Peer, Peer, RtcpMux: true, ShouldSend: true, Keys: keys);
        _plane.HandleCommand(_now, new MediaCommand.Configure(Id, new(Peer.WithPort(5060), Acknowledged: true, Paused: false, [stream])));
        return key;
    }

    private void Arrive(byte[] datagram)
    {
        datagram.CopyTo(_bytes, _visit.Count * Slot);
        _visit.Add(new(_now, Peer, _visit.Count * Slot, datagram.Length));
    }

    private void Visit()
    {
        foreach (var some in _visit.Chunk(64)) _plane.HandleBatch(_now, Flows.Rtp, some, _bytes);
        _visit.Clear();
        if (_plane.Deadline <= _now) _plane.HandleTimeout(_now);
        Drain();
    }

    private void Close()
    {
        _plane.HandleCommand(_now, new MediaCommand.Close(Id, PeerIsGone: false));
        for (Drain(); _plane.Deadline is { } due; Drain()) _plane.HandleTimeout(_now = due > _now ? due : _now);
    }

    private void Drain()
    {
        while (_plane.Outbox.TryTake(out var transmit)) _plane.Outbox.Release(transmit);
        while (_plane.TryTakeWrite(out var write))
        {
            if (write.Buffer is not { } buffer) continue;

            var audio = buffer.Written.Span;
            if (buffer.Offset + audio.Length <= _file.Length) audio.CopyTo(_file.AsSpan((int)buffer.Offset));
            buffer.Dispose();
        }

        while (_plane.TryTakeEvent(out var happened))
        {
            if (happened is MediaEvent.Closed closed) _report = closed.Streams[0].Srtp;
        }
    }

    private static byte[] Frame(int index)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), unchecked((ushort)(65_500 + index)));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)(index * ScriptedFrame.Length));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x1234);
        ScriptedFrame.Fill(0, index, packet.AsSpan(12));
        return packet;
    }

    private static byte[] SenderReport(int index)
    {
        var report = new byte[28];
        (report[0], report[1], report[3]) = (0x80, 200, 6);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), 0x1234);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(20), (uint)index);
        return report;
    }
}
