using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class OutboxTests
{
    private static readonly FlowId Flow = new(3);
    private static readonly TransportAddress To = TransportAddress.Parse("192.0.2.1:5060");

    [Fact]
    public void Datagrams_come_out_in_order_with_their_flow_destination_and_bytes()
    {
        var outbox = new Outbox();
        byte[] bytes = [1, 2, 3];
        outbox.Add(Flow, To, bytes);
        bytes[0] = 99;
        outbox.Write(new(4), To.WithPort(7), 2).Fill(8);
        outbox.Add(Flow, To, []);

        Assert.Equal(["flow 3 192.0.2.1:5060 010203", "flow 4 192.0.2.1:7 0808", "flow 3 192.0.2.1:5060 "], Drain(outbox));
        Assert.Equal((0, 0), (outbox.Count, outbox.Rented));
    }

    [Fact]
    public void Every_buffer_counts_as_rented_until_it_is_released()
    {
        var outbox = new Outbox();
        outbox.Add(Flow, To, [1]);
        outbox.Add(Flow, To, [2]);
        Assert.Equal((2, 2), (outbox.Count, outbox.Rented));

        Assert.True(outbox.TryTake(out var first));
        Assert.Equal((1, 2), (outbox.Count, outbox.Rented));
        outbox.Release(first);
        Assert.Equal((1, 1), (outbox.Count, outbox.Rented));

        Drain(outbox);
        Assert.False(outbox.TryTake(out _));
        Assert.Equal((0, 0), (outbox.Count, outbox.Rented));
    }

    [Fact]
    public void A_parent_takes_over_what_its_child_wants_sent_and_what_it_owes()
    {
        var (parent, child) = (new Outbox(), new Outbox());
        parent.Add(Flow, To, [1]);
        child.Add(Flow, To, [2]);
        child.Add(Flow, To, [3]);

        parent.TakeAllFrom(child);

        Assert.Equal((0, 0, 3, 3), (child.Count, child.Rented, parent.Count, parent.Rented));
        Assert.Equal(["01", "02", "03"], Drain(parent).Select(line => line[^2..]));
        Assert.Equal(0, parent.Rented);
    }

    [Fact]
    public void Adding_taking_and_releasing_allocates_nothing_once_it_is_warm()
    {
        var outbox = new Outbox();
        byte[] bytes = new byte[172];
        Cycle(100);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Cycle(1000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

#if !DEBUG
        Assert.Equal(0, allocated);
#else
        Assert.True(allocated >= 0);
#endif

        void Cycle(int rounds)
        {
            for (var i = 0; i < rounds; i++)
            {
                outbox.Add(Flow, To, bytes);
                if (outbox.TryTake(out var transmit)) outbox.Release(transmit);
            }
        }
    }

    private static List<string> Drain(Outbox outbox)
    {
        var lines = new List<string>();
        while (outbox.TryTake(out var transmit))
        {
            lines.Add($"{transmit.Flow} {transmit.Destination} {Convert.ToHexString(transmit.Payload)}");
            outbox.Release(transmit);
        }

        return lines;
    }
}
