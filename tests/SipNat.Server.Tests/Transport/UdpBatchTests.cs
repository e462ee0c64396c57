using System.Text;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

public sealed class UdpBatchTests
{
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.7:5060");

    [Fact]
    public void What_goes_on_comes_before_what_begins_and_otherwise_the_order_stays()
    {
        var batch = new UdpBatch();
        string[] came = ["INVITE 1", "ACK 2", "OPTIONS 3", "CANCEL 1", "SIP/2.0 200", "INVITE 4", "", "BYE 5", "ACKNOWLEDGE 6", "\r\n\r\n"];
        foreach (var (number, text) in came.Index()) Add(batch, text, number);

        Assert.Equal(
            ["1: ACK 2", "4: SIP/2.0 200", "7: BYE 5", "0: INVITE 1", "2: OPTIONS 3", "3: CANCEL 1", "5: INVITE 4", "6: ", "8: ACKNOWLEDGE 6", "9: \r\n\r\n"],
            TakeAll(batch));
        Assert.Empty(TakeAll(batch));
    }

    [Fact]
    public void There_is_room_for_the_longest_datagram_or_there_is_none_and_it_comes_back()
    {
        var batch = new UdpBatch();
        var counts = new List<int>();
        foreach (var length in (int[])[UdpBatch.MaxDatagram, 1, 20_000, UdpBatch.MaxDatagram])
        {
            while (batch.HasRoom)
            {
                Assert.Equal(UdpBatch.MaxDatagram, batch.Free.Length);
                batch.Add(Peer, length);
            }

            counts.Add(TakeAll(batch).Count);
        }

        Assert.Equal([4, 64, 10, 4], counts);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_datagram()
    {
        var batch = new UdpBatch();

        var allocated = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            batch.Add(Peer, 4);
            while (batch.TryTake(out _, out _))
            {
            }

            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, allocated);
    }

    private static void Add(UdpBatch batch, string text, int port)
    {
        Encoding.ASCII.GetBytes(text).CopyTo(batch.Free);
        batch.Add(Peer.WithPort(port), text.Length);
    }

    private static List<string> TakeAll(UdpBatch batch)
    {
        var taken = new List<string>();
        while (batch.TryTake(out var from, out var datagram)) taken.Add($"{from.Port}: {Encoding.ASCII.GetString(datagram)}");
        return taken;
    }
}
