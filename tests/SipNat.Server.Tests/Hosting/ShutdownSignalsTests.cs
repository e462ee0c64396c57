using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

public sealed class ShutdownSignalsTests
{
    [Fact]
    public void The_first_signal_asks_and_the_second_ends_with_130()
    {
        var exits = new List<int>();
        using var signals = new ShutdownSignals(exits.Add);

        signals.Handle();
        Assert.True(signals.Requested.IsCancellationRequested);
        Assert.Empty(exits);

        signals.Handle();
        Assert.Equal([130], exits);
    }
}
