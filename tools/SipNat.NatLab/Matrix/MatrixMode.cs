namespace SipNat.NatLab.Matrix;

/// <summary>What two media sessions use to find each other.</summary>
public enum MatrixMode
{
    /// <summary>Each tells its own address, and both send to where the other's packets come from.</summary>
    Latching,

    /// <summary>Each tells what a STUN server sees, and latches too.</summary>
    Reflexive,

    /// <summary>ICE without a TURN server.</summary>
    Ice,

    /// <summary>ICE with a TURN server on both sides, by TCP where UDP is blocked.</summary>
    IceWithTurn,
}

public static class MatrixModes
{
    public static readonly IReadOnlyList<MatrixMode> All = Enum.GetValues<MatrixMode>();

    extension(MatrixMode mode)
    {
        public bool UsesIce => mode is MatrixMode.Ice or MatrixMode.IceWithTurn;

        /// <summary>As it stands above a table.</summary>
        public string Title => mode switch
        {
            MatrixMode.Latching => "Own addresses and latching",
            MatrixMode.Reflexive => "Reflexive addresses (STUN) and latching",
            MatrixMode.Ice => "ICE without TURN",
            MatrixMode.IceWithTurn => "ICE with TURN",
            _ => throw new System.Diagnostics.UnreachableException(),
        };

        /// <summary>How long a side waits for the other's audio. A relayed pair is waited for while a direct one may yet come.</summary>
        public TimeSpan Limit => TimeSpan.FromSeconds(mode.UsesIce ? 12 : 6);
    }
}
