namespace SipNat.Media.Codecs;

/// <summary>The constants of ITU-T G.722, by the names that its blocks give them.</summary>
internal static class G722Tables
{
    /// <summary>One half of the quadrature mirror filter's 24 coefficients (table 11), times 2^13; the other half mirrors it.</summary>
    public static ReadOnlySpan<short> Qmf => [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

    /// <summary>Block QUANTL: the decision levels of the lower band, LL6, times 2^12 / 8.</summary>
    public static ReadOnlySpan<short> DecisionLevels =>
    [
        35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
        786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
    ];

    /// <summary>Block QUANTH: the one decision level of the upper band.</summary>
    public const int DecisionLevelHigh = 564;

    /// <summary>Block INVQBL: what a word of six bits stands for, relative to the scale factor times 2^15.</summary>
    public static ReadOnlySpan<short> Quantum6 =>
    [
        -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
        -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
        24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
        4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
    ];

    /// <summary>Block INVQAL: the same of its upper four bits, by which both sides adapt.</summary>
    public static ReadOnlySpan<short> Quantum4 =>
        [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];

    /// <summary>Block INVQAH: of the two bits of the upper band.</summary>
    public static ReadOnlySpan<short> Quantum2 => [-7408, -1616, 7408, 1616];

    /// <summary>Block LOGSCL: by how much each word of four bits moves the logarithm of the scale factor.</summary>
    public static ReadOnlySpan<short> StepLow =>
        [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

    /// <summary>Block LOGSCH: the same for the two bits of the upper band.</summary>
    public static ReadOnlySpan<short> StepHigh => [798, -214, 798, -214];

    /// <summary>Blocks SCALEL and SCALEH: 2^(i/32), times 2^11.</summary>
    public static ReadOnlySpan<short> PowersOfTwo =>
    [
        2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
        2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
    ];
}
