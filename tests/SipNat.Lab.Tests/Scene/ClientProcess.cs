using SipNat.Bench.Siprec;
using SipNat.Bench.Verification;
using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Scene;

/// <summary>The SIPREC client running on a host of the laboratory.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(50);

    private readonly LabProcess _process;
    private readonly DirectoryInfo _sent;

    private ClientProcess(LabProcess process, DirectoryInfo sent) => (_process, _sent) = (process, sent);

    public static ClientProcess Start(LabHost host, string server, params IEnumerable<string> arguments)
    {
        var sent = Directory.CreateTempSubdirectory("sipnat-sent-");
        var process = host.Start(
            LabRequirements.Find("dotnet") ?? "dotnet",
            [BuiltPrograms.Bench, "siprec-client", "--server", server, "--json", "--sent-dir", sent.FullName, .. arguments]);
        return new(process, sent);
    }

    /// <summary>Waits until the client's progress holds a text.</summary>
    public Task WaitForTextAsync(string text) => _process.WaitForTextAsync(text, Limit, TestContext.Current.CancellationToken);

    /// <summary>Waits for the end of the session and gives what the client saw.</summary>
    public async Task<SiprecClientReport> ReportAsync()
    {
        await _process.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);
        return _process.Output.Length > 0 ? SiprecClientReport.FromJson(_process.Output) : throw _process.Failure("printed no report");
    }

    /// <summary>Ends the client as a power cut would: no BYE.</summary>
    public void Kill() => _process.Kill();

    /// <summary>What was sent, stream by stream, exactly.</summary>
    public IReadOnlyList<SentAudio> ReadSent() => SentAudio.ReadAll(_sent.FullName);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _sent.Delete(recursive: true);
    }
}
