namespace SipNat.Fuzz.Engine;

/// <summary>
/// One reader, or one state machine, with what must hold for every input. A target keeps nothing from one input to the
/// next, so that a file is all that a failure needs to be seen again.
/// </summary>
public interface IFuzzTarget
{
    /// <summary>Kebab case: the name on the command line, of failure files and of its folder of seeds.</summary>
    string Name { get; }

    /// <summary>What holds for every input, in one line.</summary>
    string Promise { get; }

    /// <summary>Bytes of the longest input.</summary>
    int MaxLength { get; }

    /// <summary>Words of the format that mutations put into inputs.</summary>
    IReadOnlyList<byte[]> Tokens { get; }

    /// <summary>Inputs to begin with, beside the target's own files in the corpus.</summary>
    IEnumerable<byte[]> Seeds(Corpus corpus);

    /// <summary>Managed bytes that one run may allocate.</summary>
    long AllowedBytes(int inputLength);

    /// <summary>Runs one input; throws where something does not hold.</summary>
    /// <returns>What came of it. An input with an outcome that was not seen before is mutated further.</returns>
    int Run(ReadOnlySpan<byte> input);
}
