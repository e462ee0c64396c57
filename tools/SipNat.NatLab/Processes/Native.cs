using System.Runtime.InteropServices;

namespace SipNat.NatLab.Processes;

/// <summary>The few calls of libc that .NET does not offer.</summary>
internal static partial class Native
{
    public const int Interrupt = 2;
    public const int Terminate = 15;
    public const int Kill = 9;

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Signal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint EffectiveUser();
}
