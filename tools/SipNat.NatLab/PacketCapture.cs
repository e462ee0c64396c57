using SipNat.NatLab.Processes;

namespace SipNat.NatLab;

/// <summary>A running capture; disposing ends it, and the file is complete then.</summary>
public sealed class PacketCapture : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly LabProcess _process;

    private PacketCapture(LabProcess process, string file) => (_process, File) = (process, file);

    public string File { get; }

    public async ValueTask DisposeAsync()
    {
        _process.Interrupt();
        await _process.WaitForExitAsync(StartLimit, CancellationToken.None);
        await _process.DisposeAsync();
    }

    internal static async Task<PacketCapture> StartAsync(LabHost host, string file, CancellationToken stop)
    {
        var process = host.Start("dumpcap", "-q", "-i", "eth0", "-w", file);
        await process.WaitForTextAsync("File:", StartLimit, stop);
        return new(process, file);
    }
}
