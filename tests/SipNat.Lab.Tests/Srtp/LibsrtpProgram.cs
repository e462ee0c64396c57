using System.Diagnostics;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;

namespace SipNat.Lab.Tests.Srtp;

/// <summary>Small programs in C around libsrtp, compiled once for each user and source.</summary>
internal static class LibsrtpProgram
{
    private static readonly TimeSpan CompileLimit = TimeSpan.FromSeconds(60);

    /// <summary>The path of the program; the test is skipped where the compiler or the library is missing.</summary>
    /// <param name="name">Its source in <c>Srtp/peers</c>, without <c>.c</c>.</param>
    public static async Task<string> CompileAsync(string name)
    {
        await Laboratory.RequireAsync("gcc", "pkg-config", LabRequirements.LibsrtpHeader);
        var source = Path.Combine(AppContext.BaseDirectory, "Srtp", "peers", $"{name}.c");
        var program = Path.Combine(Path.GetTempPath(), $"sipnat-{name}-{Environment.UserName}-{File.GetLastWriteTimeUtc(source).Ticks:x}");
        if (File.Exists(program)) return program;

        var draft = $"{program}.{Environment.ProcessId}";
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(CompileLimit);
        using var compiler = Process.Start("sh", ["-c", $"gcc -O1 -Wall -Wextra -o '{draft}' '{source}' $(pkg-config --cflags --libs libsrtp2)"]);
        await compiler.WaitForExitAsync(stop.Token);
        Assert.Equal(0, compiler.ExitCode);
        File.Move(draft, program, overwrite: true);
        return program;
    }
}
