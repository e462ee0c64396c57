using System.Diagnostics;

namespace SipNat.Server.Tests.Tracing;

/// <summary>tshark, which nobody here wrote.</summary>
internal static class CaptureReader
{
    /// <summary>The wanted fields of each packet that a filter lets through, with a bar between them.</summary>
    /// <param name="rtpPort">A port whose packets are RTP, where no description of a call says so.</param>
    public static async Task<IReadOnlyList<string>> ReadAsync(string file, string filter, string[] fields, int? rtpPort = null)
    {
        var start = new ProcessStartInfo("tshark") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] arguments =
        [
            "-n", "-r", file, "-Y", filter, "-T", "fields", "-E", "separator=|",
            "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
            .. fields.SelectMany(field => new[] { "-e", field }),
            .. rtpPort is { } port ? new[] { "-d", $"udp.port=={port},rtp" } : [],
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);

        using var process = Start(start);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            if (Environment.GetEnvironmentVariable("SIPNAT_LAB") == "required") throw;

            Assert.Skip($"tshark is needed: {missing.Message}");
            throw;
        }
    }
}
