using SipNat.Fuzz.Engine;

namespace SipNat.Tests.Fuzz;

/// <summary>A short run of every fuzz target from fixed seeds, and every input that once failed.</summary>
public sealed class FuzzTargetTests
{
    private const int Seed = 7;

    private static readonly Corpus Corpora = new(Path.Combine(AppContext.BaseDirectory, "corpora"));

    public static TheoryData<string, string> Inputs
    {
        get
        {
            var inputs = new TheoryData<string, string>();
            foreach (var path in Directory.GetFiles(Path.Combine(Corpora.Root, "fuzz"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                inputs.Add(Path.GetFileName(Path.GetDirectoryName(path)!), Path.GetFileName(path));
            }

            return inputs;
        }
    }

    [Theory]
    [InlineData("address", 5_000)]
    [InlineData("sip-message", 300)]
    [InlineData("sip-framer", 200)]
    [InlineData("websocket-request", 3_000)]
    [InlineData("digest", 300)]
    [InlineData("trace", 1_000)]
    [InlineData("sdp", 150)]
    [InlineData("sdp-crypto", 3_000)]
    [InlineData("transactions", 150)]
    [InlineData("stun-message", 5_000)]
    [InlineData("stun-client", 300)]
    [InlineData("nat-probes", 150)]
    [InlineData("channel-data", 3_000)]
    [InlineData("turn-allocation", 300)]
    [InlineData("router-datagram", 3_000)]
    [InlineData("router-xml", 300)]
    [InlineData("port-mapper", 300)]
    [InlineData("ice-agent", 150)]
    [InlineData("dns-message", 5_000)]
    [InlineData("dns-resolver", 300)]
    [InlineData("server-lookup", 500)]
    [InlineData("rtp-packet", 5_000)]
    [InlineData("rtcp", 5_000)]
    [InlineData("srtp", 300)]
    [InlineData("srtp-batch", 200)]
    [InlineData("recorded-stream", 100)]
    [InlineData("playout", 100)]
    [InlineData("wav", 5_000)]
    [InlineData("clip", 200)]
    [InlineData("rtpdump", 3_000)]
    [InlineData("payload", 500)]
    [InlineData("multipart", 300)]
    [InlineData("metadata", 60)]
    [InlineData("cisco-participant", 3_000)]
    [InlineData("recording-json", 300)]
    [InlineData("dialog", 50)]
    [InlineData("call-dialog", 50)]
    public void No_input_breaks_what_a_target_promises(string name, int executions)
    {
        var result = new FuzzLoop(TargetOf(name), Corpora, Seed).Run(executions);

        Assert.Equal([], result.Failures.Select(failure => failure.Text));
        Assert.True(result.Executions >= executions);
        Assert.True(result.Outcomes > 1, "One outcome for every input means that nothing was reached.");
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void An_input_that_once_failed_fails_no_more(string name, string file)
    {
        var input = File.ReadAllBytes(Path.Combine(Corpora.Root, "fuzz", name, file));

        Assert.Null(new FuzzLoop(TargetOf(name), Corpora, Seed).Replay(input)?.Text);
    }

    [Fact]
    public void The_same_seed_runs_the_same_inputs()
    {
        var (first, second, other) = (Run(1), Run(1), Run(2));

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);

        static List<string> Run(int seed)
        {
            var target = new RecordingTarget();
            new FuzzLoop(target, Corpora, seed).Run(200);
            return target.Inputs;
        }
    }

    [Fact]
    public void A_failure_is_told_once_with_the_smallest_input_that_has_it()
    {
        var told = new List<FuzzFailure>();
        var executions = 0;
        var result = new FuzzLoop(new RecordingTarget { Forbidden = (byte)'!' }, Corpora, Seed).Run(() => executions++ < 2_000, told.Add);

        var failure = Assert.Single(told);
        Assert.Equal([failure], result.Failures);
        Assert.Equal(("recording", Seed, "No input has a forbidden octet.", "recording-7-1.bin"), (failure.Target, failure.Seed, failure.Kind, failure.FileName));
        Assert.Equal("!"u8.ToArray(), failure.Input);
        Assert.True(result.Failing > 1);
    }

    [Fact]
    public void Memory_beyond_what_an_input_may_cost_is_a_failure()
    {
        var loop = new FuzzLoop(new RecordingTarget { Allowed = 1_000 }, Corpora, Seed);

        Assert.Null(loop.Replay(new byte[10]));
        Assert.Equal("Memory is bounded by the input.", loop.Replay(new byte[2_000])?.Kind);
    }

    [Fact]
    public void Every_target_is_run_and_every_folder_of_inputs_has_its_target()
    {
        var run = typeof(FuzzTargetTests).GetMethod(nameof(No_input_breaks_what_a_target_promises))!
            .GetCustomAttributesData().Where(a => a.AttributeType == typeof(InlineDataAttribute))
            .Select(a => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)[0].Value!);

        Assert.Equal(FuzzTargets.All.Select(target => target.Name), run);
        Assert.All(Directory.GetDirectories(Path.Combine(Corpora.Root, "fuzz")), folder => Assert.NotNull(FuzzTargets.Find(Path.GetFileName(folder))));
    }

    private static IFuzzTarget TargetOf(string name) => FuzzTargets.Find(name) ?? throw new ArgumentException($"No target {name}.", nameof(name));

    /// <summary>Keeps its inputs, takes a copy of each, and may forbid an octet.</summary>
    private sealed class RecordingTarget : IFuzzTarget
    {
        public List<string> Inputs { get; } = [];

        public byte? Forbidden { get; init; }

        public long Allowed { get; init; } = long.MaxValue;

        public string Name => "recording";

        public string Promise => "nothing";

        public int MaxLength => 4096;

        public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words("!", "abc");

        public IEnumerable<byte[]> Seeds(Corpus corpus) => ["first seed"u8.ToArray(), "second\r\n12\r\n"u8.ToArray()];

        public long AllowedBytes(int inputLength) => Allowed;

        public int Run(ReadOnlySpan<byte> input)
        {
            if (Allowed == long.MaxValue) Inputs.Add(Convert.ToHexString(input));
            var copy = input.ToArray();
            Invariant.Holds(Forbidden is not { } octet || !copy.Contains(octet), "No input has a forbidden octet.");
            return copy.Length;
        }
    }
}
