using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunTransactionTests
{
    private static readonly FlowId Flow = new(7);
    private static readonly TransportAddress Server = TransportAddress.Parse("198.51.100.1:3478");
    private static readonly StunTransactionId Id = new(1, 2);

    [Fact]
    public void Unanswered_request_is_sent_seven_times_and_given_up_after_39_5_seconds() // RFC 8489 §6.2.1
    {
        var (sent, end, transaction) = RunToEnd(null);

        Assert.Equal([0, 500, 1500, 3500, 7500, 15500, 31500], sent);
        Assert.Equal(39500, end);
        Assert.Equal(StunTransactionState.TimedOut, transaction.State);
    }

    [Fact]
    public void Keepalive_is_repeated_after_half_one_and_two_seconds()
    {
        var (sent, end, _) = RunToEnd(StunSchedule.Keepalive);

        Assert.Equal([0, 500, 1500, 3500], sent);
        Assert.Equal(7500, end);
    }

    [Fact]
    public void Spread_schedules_begin_with_an_rto_between_500_and_750_ms()
    {
        var random = new Random(3);
        var rtos = Enumerable.Range(0, 1000).Select(_ => StunSchedule.Default.Spread(random).InitialRto.TotalMilliseconds).ToList();

        Assert.InRange(rtos.Min(), 500, 505);
        Assert.InRange(rtos.Max(), 745, 750);
    }

    [Fact]
    public void Every_send_carries_the_same_bytes_on_the_same_flow()
    {
        var outbox = new Outbox();
        var transaction = new StunTransaction(new(0), Id, Flow, Server, [1, 2, 3]);
        while (transaction.Deadline is { } due) transaction.HandleTimeout(due, outbox);

        Assert.Equal(7, outbox.Count);
        while (outbox.TryTake(out var transmit))
        {
            Assert.Equal((Flow, Server), (transmit.Flow, transmit.Destination));
            Assert.Equal([1, 2, 3], transmit.Payload.ToArray());
            outbox.Release(transmit);
        }

        Assert.Equal(0, outbox.Rented);
    }

    [Fact]
    public void Response_ends_the_transaction()
    {
        var outbox = new Outbox();
        var transaction = new StunTransaction(new(0), Id, Flow, Server, [1]);
        Assert.False(transaction.IsAwaiting(Id));
        transaction.HandleTimeout(new(0), outbox);
        Assert.True(transaction.IsAwaiting(Id));
        Assert.False(transaction.IsAwaiting(new(1, 3)));

        transaction.HandleResponse();

        Assert.Equal(StunTransactionState.Answered, transaction.State);
        Assert.Null(transaction.Deadline);
        Assert.False(transaction.IsAwaiting(Id));
    }

    [Fact]
    public void Sends_that_a_suspend_missed_are_skipped()
    {
        var outbox = new Outbox();
        var transaction = new StunTransaction(new(0), Id, Flow, Server, [1]);
        transaction.HandleTimeout(new(0), outbox);
        var resumed = new Instant(TimeSpan.FromMinutes(5).Ticks);

        transaction.HandleTimeout(resumed, outbox);

        Assert.Equal(2, outbox.Count);
        Assert.Equal(resumed + TimeSpan.FromSeconds(1), transaction.Deadline);
    }

    private static (List<double> Sent, double End, StunTransaction Transaction) RunToEnd(StunSchedule? schedule)
    {
        var outbox = new Outbox();
        var start = new Instant(12345);
        var transaction = new StunTransaction(start, Id, Flow, Server, [1], schedule);
        var sent = new List<double>();
        var now = start;
        while (transaction.Deadline is { } due)
        {
            now = due;
            transaction.HandleTimeout(now, outbox);
            while (outbox.TryTake(out var transmit))
            {
                sent.Add((now - start).TotalMilliseconds);
                outbox.Release(transmit);
            }
        }

        return (sent, (now - start).TotalMilliseconds, transaction);
    }
}
