using System.Diagnostics;

namespace SipNat.Fuzz.Engine;

/// <summary>
/// Runs one target: first every seed as it is, then mutations of what led to new outcomes. The same seed runs the same
/// inputs in the same order.
/// </summary>
public sealed class FuzzLoop(IFuzzTarget target, Corpus corpus, int seed)
{
    /// <summary>Kinds of failures that are kept.</summary>
    public const int MaxFailures = 32;

    private const int MaxPool = 4096;

    private readonly Random _random = new(seed);
    private readonly List<byte[]> _pool = [];
    private readonly HashSet<int> _outcomes = [];
    private readonly Dictionary<string, FuzzFailure> _failures = new(StringComparer.Ordinal);
    private long _executions;
    private long _failing;
    private long _began;
    private TimeSpan _slowest;
    private volatile byte[]? _current;

    public string Target => target.Name;

    public int Seed => seed;

    /// <summary>The input that is being run, and for how long by now; for a watch on another thread.</summary>
    public (byte[] Input, TimeSpan Running)? Current =>
        _current is { } input ? (input, Stopwatch.GetElapsedTime(Volatile.Read(ref _began))) : null;

    /// <param name="executions">Inputs to run; the seeds are always run.</param>
    public FuzzResult Run(long executions) => Run(() => _executions < executions, _ => { });

    /// <param name="goesOn">Asked before each input but the seeds.</param>
    /// <param name="onFailure">Told the first failure of each kind, its input made as small as can be.</param>
    public FuzzResult Run(Func<bool> goesOn, Action<FuzzFailure> onFailure)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var input in Seeds()) Try(input, onFailure);
        if (_pool.Count == 0) _pool.Add([]);

        var mutator = new Mutator(_random, target.Tokens, target.MaxLength);
        while (goesOn()) Try(mutator.Mutate(Pick(), Pick()), onFailure);
        return new(_executions, _outcomes.Count, Stopwatch.GetElapsedTime(started), _slowest, _failing, [.. _failures.Values]);
    }

    /// <summary>Runs one input; null where everything holds.</summary>
    public FuzzFailure? Replay(byte[] input) => Execute(input);

    private IEnumerable<byte[]> Seeds() =>
        target.Seeds(corpus).Concat(corpus.Files($"fuzz/{target.Name}")).Where(input => input.Length <= target.MaxLength);

    // Half of the picks are the latest finds: what is new leads on.
    private byte[] Pick()
    {
        var recent = Math.Min(_pool.Count, 64);
        return _random.Next(2) == 0 ? _pool[^(1 + _random.Next(recent))] : _pool[_random.Next(_pool.Count)];
    }

    private void Try(byte[] input, Action<FuzzFailure> onFailure)
    {
        if (Execute(input) is not { } failure) return;

        _failing++;
        if (_failures.Count == MaxFailures || _failures.ContainsKey(failure.Kind)) return;

        failure = failure with { Number = _failures.Count + 1, Input = Shrink(failure) };
        _failures.Add(failure.Kind, failure);
        onFailure(failure);
    }

    private FuzzFailure? Execute(byte[] input)
    {
        _executions++;
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        _current = input;
        try
        {
            var outcome = Measure(input);
            if (_outcomes.Add(outcome) && _pool.Count < MaxPool) _pool.Add(input);
            return null;
        }
        catch (Exception error)
        {
            // Whatever a target throws is a finding.
            return new(target.Name, seed, 0, FuzzFailure.KindOf(error), error.ToString(), input);
        }
        finally
        {
            _current = null;
            var took = Stopwatch.GetElapsedTime(_began);
            if (took > _slowest) _slowest = took;
        }
    }

    // The first run of a kind of input also pays for tables and pools that stay, hence the second look.
    private int Measure(byte[] input)
    {
        var allowed = target.AllowedBytes(input.Length);
        var allocated = 0L;
        var outcome = 0;
        for (var look = 0; look < 2; look++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            outcome = target.Run(input);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated <= allowed) return outcome;
        }

        throw new BrokenInvariantException("Memory is bounded by the input.", $"{allocated} bytes were allocated for {input.Length}, allowed are {allowed}.");
    }

    // Takes out halves, quarters, … as long as the failure stays the same.
    private byte[] Shrink(FuzzFailure failure)
    {
        const int maxTries = 2_000;
        var (smallest, tries) = (failure.Input, 0);
        for (var size = smallest.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= smallest.Length && tries < maxTries; tries++)
            {
                byte[] shorter = [.. smallest.AsSpan(0, at), .. smallest.AsSpan(at + size)];
                if (Execute(shorter)?.Kind == failure.Kind) smallest = shorter;
                else at += size;
            }
        }

        return smallest;
    }
}
