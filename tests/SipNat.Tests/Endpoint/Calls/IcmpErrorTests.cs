using System.Buffers.Binary;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>What messages of ICMP mean, and what a media plane alone makes of them.</summary>
public sealed class IcmpErrorTests
{
    private static readonly TransportAddress Local = TransportAddress.Parse("198.51.100.10:10000");
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.20:40000");
    private static readonly SessionId Session = new("one");
    private static readonly MediaPortFlows Flows = new(new(1), Local, new(2), Local.WithPort(10_001));

    private Instant _now = new(0);

    [Theory]
    [InlineData("NHPPBNNHHFFNHFFF", 3)] // RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1: N(et), H(ost), P(ort or protocol), too B(ig), F(orbidden)
    [InlineData("TO", 11)] // a T(ime to live) that ran out, and a reassembly that took too long
    [InlineData("O", 0)]
    [InlineData("O", 4)]
    [InlineData("O", 5)]
    [InlineData("O", 12)]
    public void Codes_of_ICMP_mean_what_the_RFCs_have(string meanings, byte type) => AssertMeanings("192.0.2.1:4", type, meanings);

    [Theory]
    [InlineData("NFNHPFFO", 1)] // RFC 4443 §3.1
    [InlineData("B", 2)]
    [InlineData("TO", 3)]
    [InlineData("OO", 4)]
    [InlineData("O", 128)]
    public void Codes_of_ICMPv6_mean_what_the_RFC_has(string meanings, byte type) => AssertMeanings("[2001:db8::1]:4", type, meanings);

    [Fact]
    public void A_recording_whose_reports_nobody_takes_says_nothing_of_it()
    {
        var plane = Open(audio: null);
        Run(plane, TimeSpan.FromSeconds(3));
        for (var i = 0; i < 100; i++)
        {
            plane.HandleIcmp(_now, Flows.Rtp, new(Peer, Peer.WithPort(0), 3, 3), []);
            plane.HandleIcmp(_now, Flows.Rtcp, new(Peer.WithPort(40_001), Peer.WithPort(0), 3, 3), []);
        }

        var told = Run(plane, TimeSpan.FromSeconds(10));
        Assert.DoesNotContain(told, e => e is MediaEvent.Found);
        Assert.All(told.OfType<MediaEvent.Reported>(), e => Assert.Null(Assert.Single(e.Streams).RefusedByIcmp));
    }

    [Fact]
    public void A_call_tells_at_once_what_is_refused_and_forgets_it_after_three_seconds()
    {
        var error = new IcmpError(Peer, TransportAddress.Parse("192.0.2.254"), 3, 13);
        var plane = Open(new(0, PayloadFormat.Pcmu));
        Run(plane, TimeSpan.FromSeconds(3));
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, Flows.Rtp, error, []);

        Assert.Equal(_now, plane.Deadline);
        var at = _now;
        var told = Run(plane, TimeSpan.FromSeconds(4)).OfType<MediaEvent.Reported>().Select(e => Assert.Single(e.Streams).RefusedByIcmp).ToList();
        Assert.Equal((new IcmpRefusal(error, at, at), null), (told[0], told[^1]));
        Assert.Equal(6, told.Count(r => r is not null));

        // About RTCP, which has a port of its own, another flow, another destination, and a session that is no more.
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, Flows.Rtcp, error with { Destination = Peer.WithPort(40_001) }, []);
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, Flows.Rtcp, error, []);
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, new(9), error, []);
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, Flows.Rtp, error with { Destination = Peer.WithPort(40_002) }, []);
        Assert.All(Run(plane, TimeSpan.FromSeconds(1)).OfType<MediaEvent.Reported>(), e => Assert.Null(Assert.Single(e.Streams).RefusedByIcmp));
        plane.HandleCommand(_now, new MediaCommand.Close(Session, PeerIsGone: false));
        for (var i = 0; i < 5; i++) plane.HandleIcmp(_now, Flows.Rtp, error, []);
    }

    [Fact]
    public void A_flood_of_forged_messages_takes_no_memory_and_no_report()
    {
        var plane = Open(new(0, PayloadFormat.Pcmu));
        Run(plane, TimeSpan.FromSeconds(3));
        var due = plane.Deadline;
        var forged = new byte[64];
        forged[0] = 0x80;

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                BinaryPrimitives.WriteInt32BigEndian(forged.AsSpan(8), i);
                plane.HandleIcmp(_now, Flows.Rtp, new(Peer, Peer.WithPort(0), 3, 3), forged);
            }
        }));
        Assert.Equal(due, plane.Deadline);
    }

    private static void AssertMeanings(string destination, byte type, string meanings)
    {
        var to = TransportAddress.Parse(destination);
        for (byte code = 0; code < meanings.Length; code++)
        {
            var (reason, isRefusal) = meanings[code] switch
            {
                'N' => (IcmpReason.NetworkUnreachable, true),
                'H' => (IcmpReason.HostUnreachable, true),
                'P' => (IcmpReason.PortUnreachable, true),
                'F' => (IcmpReason.Prohibited, true),
                'T' => (IcmpReason.HopLimit, true),
                'B' => (IcmpReason.MessageTooBig, false),
                _ => (IcmpReason.Other, false),
            };
            var error = new IcmpError(to, to.WithPort(0), type, code);
            Assert.Equal((reason, isRefusal), (error.Reason, error.IsRefusal));
        }
    }

    private MediaPlane Open(CallAudioSettings? audio)
    {
        var plane = new MediaPlane(new() { SparePorts = 0 }, new Random(1));
        plane.HandleCommand(_now, new MediaCommand.Open(Session, Local.WithPort(0), 1));
        Assert.True(plane.TryTakePortRequest(out _));
        plane.HandlePortBound(_now, Flows);
        var stream = new MediaStreamSettings(0, 0, [new(0, PayloadFormat.Pcmu)], Peer, Peer.WithPort(40_001), RtcpMux: false, ShouldSend: true) { Audio = audio };
        plane.HandleCommand(_now, new MediaCommand.Configure(Session, new(Peer.WithPort(5060), Acknowledged: true, Paused: false, [stream])));
        return plane;
    }

    private List<MediaEvent> Run(MediaPlane plane, TimeSpan span)
    {
        var told = new List<MediaEvent>();
        var end = _now + span;
        while (plane.Deadline is { } due && due <= end)
        {
            _now = due;
            plane.HandleTimeout(_now);
            while (plane.TryTakeEvent(out var happened)) told.Add(happened);
            while (plane.TryTakeWrite(out var write)) write.Buffer?.Dispose();
            while (plane.Outbox.TryTake(out var transmit)) plane.Outbox.Release(transmit);
        }

        _now = end;
        return told;
    }
}
