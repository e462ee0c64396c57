using FsCheck;
using FsCheck.Fluent;
using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class DeadlineQueueTests
{
    [Fact]
    public void Children_come_out_by_deadline_and_equal_ones_in_the_order_in_which_they_were_set()
    {
        var queue = new DeadlineQueue<string>();
        queue.Set("late", new(30));
        queue.Set("b", new(20));
        queue.Set("a", new(20));
        queue.Set("early", new(10));

        Assert.Equal(new Instant(10), queue.Next);
        Assert.Equal(["early", "b", "a"], TakeDue(queue, new(20)));
        Assert.Equal((1, new Instant(30)), (queue.Count, queue.Next));
        Assert.Empty(TakeDue(queue, new(29)));
        Assert.Equal(["late"], TakeDue(queue, new(30)));
        Assert.Null(queue.Next);
    }

    [Fact]
    public void Setting_moves_removes_or_leaves_a_child_where_it_is()
    {
        var queue = new DeadlineQueue<string>();
        queue.Set("a", new(20));
        queue.Set("b", new(20));
        queue.Set("a", new(20));
        queue.Set("c", new(5));
        queue.Set("c", null);
        queue.Set("never", null);
        queue.Remove("unknown");

        Assert.Equal(["a", "b"], TakeDue(queue, new(100)));
    }

    // Each number is one step: the key, and in what way it changes.
    [Fact]
    public void It_agrees_with_a_list_that_is_searched_from_end_to_end() =>
        Prop.ForAll<int[]>(steps => Replay(steps)).QuickCheckThrowOnFailure();

    [Fact]
    public void It_agrees_with_that_list_over_many_steps_too()
    {
        var random = new Random(17);
        Assert.True(Replay([.. Enumerable.Range(0, 20_000).Select(_ => random.Next())]));
    }

    private static bool Replay(int[] steps)
    {
        var queue = new DeadlineQueue<int>();
        var model = new List<(int Key, Instant Due, int Order)>();
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i] & int.MaxValue;
            var (key, due) = (step % 23, new Instant(step / 23 % 17));
            if (step / 400 % 4 == 0)
            {
                queue.Remove(key);
                model.RemoveAll(child => child.Key == key);
            }
            else if (step / 400 % 4 == 1)
            {
                var taken = TakeDue(queue, due);
                var expected = model.Where(child => child.Due <= due).OrderBy(child => child.Due).ThenBy(child => child.Order).Select(child => child.Key);
                if (!expected.SequenceEqual(taken)) return false;

                model.RemoveAll(child => child.Due <= due);
            }
            else
            {
                queue.Set(key, due);
                var isUnchanged = model.Exists(child => child.Key == key && child.Due == due);
                if (!isUnchanged)
                {
                    model.RemoveAll(child => child.Key == key);
                    model.Add((key, due, i));
                }
            }

            Instant? next = model.Count == 0 ? null : model.Min(child => child.Due);
            if (queue.Count != model.Count || queue.Next != next) return false;
        }

        return true;
    }

    private static List<TKey> TakeDue<TKey>(DeadlineQueue<TKey> queue, Instant now)
        where TKey : notnull
    {
        var taken = new List<TKey>();
        while (queue.TryTakeDue(now, out var key)) taken.Add(key);
        return taken;
    }
}
