using SipNat.Media.Rtcp;

namespace SipNat.Tests.Media.Rtcp;

public sealed class VoipMetricsTests
{
    // RFC 3611 §4.7, written down by hand: an RR without blocks, then an XR with a receipt time block before the metrics.
    private static readonly byte[] Compound = Convert.FromHexString(
        "80C9000111223344"
        + "80CF000D11223344"
        + "0400000201020304050607080" + "7000008"
        + "AABBCCDD" + "0A0B0C0D" + "00640BB8" + "00780050" + "EDC57F10" + "5D7F2928" + "F0000050" + "006400C8");

    [Fact]
    public void Metrics_are_read_behind_other_blocks()
    {
        Assert.True(RtcpCompound.TryRead(Compound, out var compound, out _));
        var found = 0;
        foreach (var packet in compound)
        {
            if (!packet.TryGetVoipMetrics(out var metrics)) continue;

            found++;
            Assert.Equal(Expected, metrics);
        }

        Assert.Equal(1, found);
    }

    [Fact]
    public void Metrics_are_written_as_the_rfc_draws_them()
    {
        var bytes = new byte[RtcpWriter.MetricsLength];
        new RtcpWriter(bytes).WriteMetrics(0x11223344, Expected);
        Assert.Equal([.. Convert.FromHexString("80CF000A11223344"), .. Compound[^36..]], bytes);
    }

    [Fact]
    public void A_report_that_is_cut_off_or_without_blocks_has_none()
    {
        Assert.False(RtcpCompound.TryRead(Convert.FromHexString("80CF0000"), out _, out var defect));
        Assert.Equal(RtcpDefect.WrongCount, defect);
        foreach (var hex in (string[])["80CF000111223344", "80CF00021122334407000008", "80CF0002112233440700FFFF"])
        {
            Assert.True(RtcpCompound.TryRead(Convert.FromHexString(hex), out var compound, out _));
            foreach (var packet in compound) Assert.False(packet.TryGetVoipMetrics(out _));
        }
    }

    private static VoipMetrics Expected => new()
    {
        Ssrc = 0xAABBCCDD,
        LossRate = 10,
        DiscardRate = 11,
        BurstDensity = 12,
        GapDensity = 13,
        BurstDuration = 100,
        GapDuration = 3000,
        RoundTripDelay = 120,
        EndSystemDelay = 80,
        SignalLevel = 0xED,
        NoiseLevel = 0xC5,
        EchoReturnLoss = 127,
        Gmin = 16,
        RFactor = 93,
        ExternalRFactor = 127,
        MosListening = 41,
        MosConversation = 40,
        ReceiverConfiguration = 0xF0,
        BufferNominal = 80,
        BufferMaximum = 100,
        BufferAbsoluteMaximum = 200,
    };
}
