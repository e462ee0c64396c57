using SipNat.Endpoint;

namespace SipNat.Tests.Endpoint;

public sealed class SessionIdTests
{
    [Fact]
    public void An_id_is_twenty_letters_and_digits_that_are_safe_in_a_path()
    {
        var random = new Random(1);
        var ids = Enumerable.Range(0, 10_000).Select(_ => SessionId.Draw(random).Value).ToList();

        Assert.Equal(10_000, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[0-9abcdefghjkmnpqrstvwxyz]{20}$", id));
        Assert.Equal(32, ids.SelectMany(id => id).Distinct().Count());
    }

    [Fact]
    public void The_same_random_gives_the_same_id() =>
        Assert.Equal(SessionId.Draw(new Random(7)), SessionId.Draw(new Random(7)));
}
