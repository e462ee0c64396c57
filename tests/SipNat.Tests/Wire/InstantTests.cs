using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class InstantTests
{
    private static readonly Instant Early = new(TimeSpan.TicksPerSecond);
    private static readonly Instant Late = new(3 * TimeSpan.TicksPerSecond);

    [Fact]
    public void Instants_are_ordered_and_their_difference_is_a_span()
    {
        Assert.True(Early < Late && Late > Early && Early <= Late && Late >= Early);
        Assert.False(Late < Early || Early > Late || Late <= Early || Early >= Late);
        Assert.Equal((-1, 0, 1), (Early.CompareTo(Late), Early.CompareTo(Early), Late.CompareTo(Early)));
        Assert.Equal(TimeSpan.FromSeconds(2), Late - Early);
        Assert.Equal(TimeSpan.FromSeconds(-2), Early - Late);
        Assert.Equal(Late, Early + TimeSpan.FromSeconds(2));
        Assert.Equal(Early, Late - TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void The_earlier_of_two_deadlines_is_never_only_where_both_are()
    {
        Assert.Equal(Early, Instant.Earlier(Early, Late));
        Assert.Equal(Early, Instant.Earlier(Late, Early));
        Assert.Equal(Early, Instant.Earlier(Early, null));
        Assert.Equal(Early, Instant.Earlier(null, Early));
        Assert.Null(Instant.Earlier(null, null));
    }

    [Fact]
    public void Text_is_in_seconds() => Assert.Equal("1.500000s", new Instant(15_000_000).ToString());
}
