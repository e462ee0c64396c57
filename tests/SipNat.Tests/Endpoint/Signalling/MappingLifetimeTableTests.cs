using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

public sealed class MappingLifetimeTableTests
{
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.5:5060");
    private static readonly TransportAddress Other = TransportAddress.Parse("192.168.2.5:5060");
    private static readonly TransportAddress Mapped = TransportAddress.Parse("198.51.100.1:61000");
    private readonly MappingLifetimeTable _table = new(TimeSpan.FromSeconds(25));

    [Theory]
    [InlineData(30, 120, 21)]
    [InlineData(120, 10, 7)]
    [InlineData(10, null, 7)]
    [InlineData(null, 10, 7)]
    [InlineData(120, 120, 25)]
    [InlineData(null, null, 25)]
    public void The_bound_is_seven_tenths_of_the_shorter_lifetime_and_never_more_than_is_configured(int? fresh, int? established, double bound)
    {
        _table.HandleMapping(At(0), Local, Mapped);
        Assert.True(_table.TryTakeDue(At(0), out var local));
        Assert.Equal(25, _table.Bound.TotalSeconds);

        _table.HandleMeasured(local, new(Of(fresh), Of(established)));

        Assert.Equal(bound, _table.Bound.TotalSeconds, 6);
    }

    [Fact]
    public void Where_no_end_was_seen_the_longest_silence_that_was_outlived_counts()
    {
        _table.HandleMapping(At(0), Local, Mapped);
        _table.TryTakeDue(At(0), out var local);

        _table.HandleMeasured(local, new(default, default) { FreshAtLeast = TimeSpan.FromSeconds(20), EstablishedAtLeast = TimeSpan.FromSeconds(54) });

        Assert.Equal((TimeSpan.FromSeconds(20), false), _table.Shortest);
        Assert.Equal(14, _table.Bound.TotalSeconds, 6);
    }

    [Fact]
    public void A_socket_that_is_seen_as_it_is_has_nothing_to_measure()
    {
        _table.HandleMapping(At(0), Local, Local);

        Assert.Null(_table.Deadline);
        Assert.False(_table.TryTakeDue(At(0), out _));
    }

    [Fact]
    public void A_nat_is_measured_once_and_again_ten_minutes_later_at_the_earliest_when_its_address_changed()
    {
        _table.HandleMapping(At(0), Local, Mapped);
        Assert.True(_table.TryTakeDue(At(3), out var local));
        Assert.Equal(Local.WithPort(0), local);
        _table.HandleMeasured(local, new(Of(30), Of(120)));
        _table.HandleMapping(At(100), Local, Mapped.WithPort(61001));
        Assert.Null(_table.Deadline);

        _table.HandleMapping(At(200), Local, TransportAddress.Parse("198.51.100.2:61000"));
        _table.HandleMapping(At(300), Local, TransportAddress.Parse("198.51.100.3:61000"));

        Assert.Equal(At(603), _table.Deadline);
        Assert.Equal(21, _table.Bound.TotalSeconds, 6);
        Assert.False(_table.TryTakeDue(At(602.9), out _));
        Assert.True(_table.TryTakeDue(At(603), out _));
        _table.HandleMeasured(local, new(Of(10), Of(120)));
        Assert.Equal(7, _table.Bound.TotalSeconds, 6);
        Assert.Null(_table.Deadline);
    }

    [Fact]
    public void A_measurement_that_found_nothing_leaves_what_was_known_and_is_repeated_after_an_hour()
    {
        _table.HandleMapping(At(0), Local, Mapped);
        _table.TryTakeDue(At(0), out var local);
        _table.HandleMeasured(local, new(Of(30), Of(120)));
        _table.HandleNetworkChange(At(1000), [Local.WithPort(0)]);
        Assert.True(_table.TryTakeDue(At(1000), out _));

        _table.HandleMeasured(local, MappingLifetimes.Inconclusive);

        Assert.Equal(21, _table.Bound.TotalSeconds, 6);
        Assert.Equal(At(4600), _table.Deadline);
    }

    [Fact]
    public void The_nat_that_forgets_soonest_decides_and_no_longer_when_its_address_is_gone()
    {
        _table.HandleMapping(At(0), Local, Mapped);
        _table.HandleMapping(At(0), Other, TransportAddress.Parse("203.0.113.1:1024"));
        Assert.True(_table.TryTakeDue(At(0), out var first));
        Assert.True(_table.TryTakeDue(At(0), out var second));
        _table.HandleMeasured(first, new(Of(30), Of(120)));
        _table.HandleMeasured(second, new(Of(10), Of(120)));
        Assert.Equal(7, _table.Bound.TotalSeconds, 6);

        _table.HandleNetworkChange(At(1000), [Local.WithPort(0)]);

        Assert.Equal(21, _table.Bound.TotalSeconds, 6);
        Assert.True(_table.TryTakeDue(At(1000), out var again));
        Assert.Equal(first, again);
    }

    [Fact]
    public void More_local_addresses_than_are_looked_after_are_passed_over()
    {
        for (var i = 0; i < 20; i++) _table.HandleMapping(At(0), TransportAddress.Parse($"192.168.{i}.5:5060"), Mapped);

        var taken = 0;
        while (_table.TryTakeDue(At(0), out _)) taken++;
        Assert.Equal(MappingLifetimeTable.MaxNats, taken);
    }

    private static Instant At(double seconds) => new Instant(0) + TimeSpan.FromSeconds(seconds);

    private static Measured<TimeSpan> Of(int? seconds) => seconds is { } known ? Measured<TimeSpan>.Of(TimeSpan.FromSeconds(known), 3) : default;
}
