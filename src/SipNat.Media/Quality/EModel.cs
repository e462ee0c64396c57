namespace SipNat.Media.Quality;

/// <summary>
/// The E-model (ITU-T G.107) with its default values, as far as packets, delay and codec change its result. It rates
/// narrowband speech; a wideband codec is rated as if it were one without distortion.
/// </summary>
public static class EModel
{
    /// <summary>The rating of a path without packet loss, delay or codec (G.107 table 2).</summary>
    public const double Best = 93.2;

    private const double MaxImpairment = 95;
    private const double DelayWithoutEffect = 100;

    /// <summary>The rating factor R, from 0 to <see cref="Best"/>.</summary>
    /// <param name="codec">What it does to speech.</param>
    /// <param name="loss">Share of speech that was lost, 0 to 1.</param>
    /// <param name="delay">From mouth to ear.</param>
    /// <param name="burstRatio">How much longer losses in a row are than by chance; 1 where they are random (G.107 §7.5).</param>
    public static double Rate(CodecImpairment codec, double loss, TimeSpan delay, double burstRatio = 1)
    {
        var percent = 100 * loss;
        var equipment = codec.Equipment + ((MaxImpairment - codec.Equipment) * percent / ((percent / burstRatio) + codec.Robustness));
        return Math.Clamp(Best - Delay(delay.TotalMilliseconds) - equipment, 0, Best);
    }

    /// <summary>The mean opinion score that an R stands for, 1 to 4.5 (G.107 Annex B).</summary>
    public static double MeanOpinion(double rating) => rating switch
    {
        <= 0 => 1,
        >= 100 => 4.5,
        _ => Math.Max(1, 1 + (0.035 * rating) + (rating * (rating - 60) * (100 - rating) * 7e-6)),
    };

    // Idd of G.107 §7.4: what a long delay does to a conversation without echo.
    private static double Delay(double milliseconds)
    {
        if (milliseconds <= DelayWithoutEffect) return 0;

        var x = Math.Log2(milliseconds / DelayWithoutEffect);
        return 25 * (Root(x) - (3 * Root(x / 3)) + 2);
    }

    private static double Root(double x) => Math.Pow(1 + Math.Pow(x, 6), 1.0 / 6);
}

/// <summary>What a codec does to speech (ITU-T G.113 Appendix I).</summary>
/// <param name="Equipment">Ie: without loss.</param>
/// <param name="Robustness">Bpl: against loss, in per cent.</param>
public readonly record struct CodecImpairment(double Equipment, double Robustness)
{
    /// <summary>G.711 with the concealment of its Appendix I; other codecs without distortion are taken to be like it.</summary>
    public static CodecImpairment G711 { get; } = new(0, 25.1);

    /// <summary>G.729 with Annex A.</summary>
    public static CodecImpairment G729 { get; } = new(11, 19);

    public static CodecImpairment Of(string? encodingName) =>
        string.Equals(encodingName, "G729", StringComparison.OrdinalIgnoreCase) ? G729 : G711;
}
