using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary>What the program's exit code says.</summary>
public static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The answer is negative: nothing found, a problem found, something refused.</summary>
    public const int Negative = 1;

    /// <summary>Wrong usage or configuration.</summary>
    public const int Usage = 2;

    /// <summary>Something that is needed is not reachable.</summary>
    public const int Unreachable = 3;

    /// <summary>A defect of this program (EX_SOFTWARE of sysexits.h).</summary>
    public const int Defect = 70;

    public const int Interrupted = ShutdownSignals.InterruptedExitCode;
}
