using System.Reflection;
using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

public sealed class SecureRandomTests
{
    private readonly SecureRandom _random = new();

    [Fact]
    public void Every_virtual_member_of_the_base_class_is_overridden()
    {
        var inherited = typeof(SecureRandom)
            .GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(method => method is { IsVirtual: true, IsFinal: false } && method.DeclaringType == typeof(Random));

        Assert.Empty(inherited);
    }

    [Fact]
    public void Values_stay_in_their_ranges()
    {
        for (var i = 0; i < 2000; i++)
        {
            Assert.InRange(_random.Next(), 0, int.MaxValue - 1);
            Assert.InRange(_random.Next(7), 0, 6);
            Assert.InRange(_random.Next(-3, 4), -3, 3);
            Assert.InRange(_random.NextInt64(), 0, long.MaxValue - 1);
            Assert.InRange(_random.NextInt64(5), 0, 4);
            Assert.InRange(_random.NextInt64(long.MinValue, long.MaxValue), long.MinValue, long.MaxValue - 1);
            Assert.InRange(_random.NextDouble(), 0, 1 - double.Epsilon);
            Assert.InRange(_random.NextSingle(), 0, 1 - float.Epsilon);
        }
    }

    [Fact]
    public void Empty_and_single_ranges_give_their_only_value()
    {
        Assert.Equal((0, 0, 5, 5), (_random.Next(0), _random.Next(1), _random.Next(5, 5), _random.Next(5, 6)));
        Assert.Equal((0L, 0L, 5L, 5L), (_random.NextInt64(0), _random.NextInt64(1), _random.NextInt64(5, 5), _random.NextInt64(5, 6)));
    }

    [Fact]
    public void Backward_ranges_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _random.Next(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _random.Next(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _random.NextInt64(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _random.NextInt64(2, 1));
        Assert.Throws<ArgumentNullException>(() => _random.NextBytes(null!));
    }

    [Fact]
    public void Two_generators_give_different_bytes()
    {
        var (left, right) = (new byte[32], new byte[32]);
        _random.NextBytes(left);
        new SecureRandom().NextBytes(right.AsSpan());

        Assert.NotEqual(left, right);
        Assert.Contains(left, b => b != 0);
    }

    [Fact]
    public void Every_value_of_a_small_range_comes_up()
    {
        var seen = new HashSet<long>();
        for (var i = 0; i < 1000; i++) seen.Add(_random.NextInt64(10, 16));

        Assert.Equal([10L, 11, 12, 13, 14, 15], seen.Order());
    }
}
