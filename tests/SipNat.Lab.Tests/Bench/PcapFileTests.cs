using SipNat.Bench.Compare;

namespace SipNat.Lab.Tests.Bench;

/// <summary>Captures laid out by hand (draft-ietf-opsawg-pcap §4 and §5).</summary>
public sealed class PcapFileTests
{
    private static readonly byte[] LittleHeader = [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0];
    private static readonly byte[] BigHeader = [0xA1, 0xB2, 0xC3, 0xD4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 1];
    private static readonly byte[] LittleRecord = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 7, 8, 9];
    private static readonly byte[] BigRecord = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 7, 8, 9];

    [Fact]
    public void Packets_of_either_byte_order_are_counted()
    {
        Assert.Equal(0, Count(LittleHeader));
        Assert.Equal(2, Count([.. LittleHeader, .. LittleRecord, .. LittleRecord]));
        Assert.Equal(2, Count([.. BigHeader, .. BigRecord, .. BigRecord]));
    }

    [Fact]
    public void A_packet_that_was_cut_off_is_not_counted()
    {
        byte[] whole = [.. LittleHeader, .. LittleRecord, .. LittleRecord];

        for (var cut = 1; cut < LittleRecord.Length; cut++) Assert.Equal(1, Count(whole[..^cut]));
    }

    [Fact]
    public void What_is_no_capture_is_refused() => Assert.Throws<InvalidDataException>(() => Count(new byte[24]));

    private static long Count(byte[] bytes)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, bytes);
            return PcapFile.CountPackets(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
