using SipNat.NatLab.Audio;

namespace SipNat.NatLab.Calls;

/// <summary>What became of a case: a call out and a call in.</summary>
/// <param name="Failure">Why there were no calls: the client was not registered, or a program failed.</param>
public sealed record CallOutcome(CallCase Case, CallResult Out, CallResult In, string? Failure)
{
    /// <summary>How often it was run; once more where the first run was not as predicted.</summary>
    public int Attempts { get; init; } = 1;

    public bool IsAsPredicted => Out.Is(Case.IsPredictedOut) && In.Is(Case.IsPredictedIn);
}

/// <summary>One call, from both ends.</summary>
/// <param name="Far">What the telephone at the provider heard of the client.</param>
/// <param name="Near">What the client heard of it.</param>
/// <param name="Told">What the client said of the call.</param>
public sealed record CallResult(CallHearing Far, CallHearing Near, string Told)
{
    public static readonly CallResult None = new(CallHearing.Nothing, CallHearing.Nothing, "");

    /// <summary>Whether both heard each other as they should, or nobody heard anything.</summary>
    public bool Is(bool possible) => possible ? Far.IsEqual && Near.IsEqual : Far.Audio?.First is null && Near.Audio?.First is null;
}

/// <summary>What one end heard of the other.</summary>
/// <param name="Audio">Against what was played; null where nothing was recorded.</param>
/// <param name="Until">From the first packet that this end sent to the first it got.</param>
public sealed record CallHearing(AudioComparison? Audio, TimeSpan? Until)
{
    public static readonly CallHearing Nothing = new(null, null);

    // A call of four seconds whose first second may go by until a path is found.
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);

    // PCMU leaves 37 dB of the signal that is played.
    private const double LeastSnrDb = 35;

    /// <summary>Whether at least two seconds came through in one piece and with nothing but codec error.</summary>
    public bool IsEqual => Audio?.IsEqual(Least, LeastSnrDb) is true;
}
