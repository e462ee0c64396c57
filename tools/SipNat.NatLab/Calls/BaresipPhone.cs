using System.Diagnostics;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Calls;

/// <summary>
/// A telephone of another make: baresip, which answers at once, plays its signal into every call and keeps what it
/// hears, packet by packet as decoded. It sends to the address of the session description and never to another.
/// </summary>
public sealed class BaresipPhone : IAsyncDisposable
{
    public const string Program = "baresip";

    private const int ControlPort = 4444;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly LabHost _host;
    private readonly DirectoryInfo _folder;
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly LabProcess _process;
    private int _calls;

    private BaresipPhone(LabHost host, DirectoryInfo folder, LabProcess process) => (_host, _folder, _process) = (host, folder, process);

    /// <summary>What it said, with every SIP message.</summary>
    public string Log => _process.Output + _process.Error;

    // Said of every call that was answered, when its files are closed.
    private int Ended => Log.Split("terminated (duration").Length - 1;

    /// <summary>Starts it and waits until it is registered.</summary>
    /// <exception cref="LabException">It was not registered in time.</exception>
    public static async Task<BaresipPhone> StartAsync(LabHost host, Provider provider, BaresipOptions options, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("sipnat-baresip-");
        var phone = new BaresipPhone(host, folder, Start(host, provider, options, folder));
        try
        {
            await phone._process.WaitForTextAsync("SIP/2.0 200 OK", StartLimit, stop);
            return phone;
        }
        catch
        {
            await phone.DisposeAsync();
            throw;
        }
    }

    public Task DialAsync(string uri, CancellationToken stop) => CommandAsync("dial", uri, stop);

    public Task HangUpAsync(CancellationToken stop) => CommandAsync("hangup", "", stop);

    public Task HoldAsync(CancellationToken stop) => CommandAsync("hold", "", stop);

    public Task ResumeAsync(CancellationToken stop) => CommandAsync("resume", "", stop);

    /// <summary>Asks the other side of the call to call somebody else instead (RFC 3515).</summary>
    public Task TransferAsync(string uri, CancellationToken stop) => CommandAsync("transfer", uri, stop);

    /// <summary>Ends it as a crash would, without a word: its ports are closed from then on.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits until its log holds a text.</summary>
    public Task WaitForTextAsync(string text, TimeSpan limit, CancellationToken stop) => _process.WaitForTextAsync(text, limit, stop);

    /// <summary>What was heard in the call after the last one that this was asked of, once it is over; null where nothing was.</summary>
    public async Task<WaveFile?> TakeHeardAsync(CancellationToken stop)
    {
        _calls++;
        var clock = Stopwatch.StartNew();
        while (Ended < _calls && clock.Elapsed < EndLimit) await Task.Delay(Poll, stop);

        var files = _folder.EnumerateFiles("dump-*-dec.wav").Where(file => _taken.Add(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal);
        return files.Select(file => WaveFile.Read(file.FullName)).FirstOrDefault(heard => heard.Channels[0].Length > 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static LabProcess Start(LabHost host, Provider provider, BaresipOptions options, DirectoryInfo folder)
    {
        var rate = options.Codec is "G722" ? 16_000 : 8000;
        var signal = Path.Combine(folder.FullName, "signal.wav");
        WaveFile.Write(signal, rate, new SpeechSignal(options.Signal).Samples(rate, options.Length));
        File.WriteAllText(Path.Combine(folder.FullName, "accounts"), Account(options));
        File.WriteAllText(
            Path.Combine(folder.FullName, "config"),
            $"""
            poll_method epoll
            sip_listen {host.Address}:{options.SipPort}
            sip_cafile {provider.Certificate}
            call_local_timeout 30
            call_max_calls 4
            audio_source aufile,{signal}
            audio_level no
            ausrc_srate {rate}
            auplay_srate {rate}
            ausrc_channels 1
            auplay_channels 1
            ausrc_format s16
            auplay_format s16
            rtp_ports 30000-30199
            rtcp_mux no
            jitter_buffer_delay 1-20
            module_path /usr/lib/baresip/modules
            module g711.so
            module g722.so
            module aufile.so
            module sndfile.so
            module srtp.so
            module stun.so
            module turn.so
            module ice.so
            module_tmp uuid.so
            module_tmp account.so
            module_app menu.so
            module_app ctrl_tcp.so
            ctrl_tcp_listen 127.0.0.1:{ControlPort}
            snd_path {folder.FullName}
            ringback_disabled yes

            """);
        return host.Start(Program, "-s", "-f", folder.FullName);
    }

    private static string Account(BaresipOptions options) =>
        $"<sip:{options.User}@{Provider.Address};transport={options.Transport.Name}>;auth_pass={Provider.Password};regint=60;answermode={(options.Answers ? "auto" : "manual")}"
        + $";audio_codecs={options.Codec}{(options.IsEncrypted ? ";mediaenc=srtp-mand" : "")}{options.Further}\n";

    // Commands are netstrings of JSON (baresip's ctrl_tcp); bash brings one there from inside the namespace.
    private async Task CommandAsync(string command, string parameters, CancellationToken stop)
    {
        var json = $$"""{"command":"{{command}}","params":"{{parameters}}","token":"lab"}""";
        await _host.RunAsync("bash", ["-c", $"exec 3<>/dev/tcp/127.0.0.1/{ControlPort} && printf '%s' \"$1\" >&3 && read -r -t 0.3 -n 1 <&3; true", "control", $"{json.Length}:{json},"], stop: stop);
    }
}

/// <summary>How a telephone is set up.</summary>
/// <param name="User">Its user at the provider.</param>
/// <param name="Signal">The seed of what it plays.</param>
public sealed record BaresipOptions(string User, int Signal)
{
    public CallTransport Transport { get; init; } = CallTransport.Udp;

    /// <summary>Whether media have to be encrypted (RFC 4568), both ways.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The one codec that it offers: PCMU, PCMA or G722.</summary>
    public string Codec { get; init; } = "PCMU";

    /// <summary>Whether it answers at once; else it rings.</summary>
    public bool Answers { get; init; } = true;

    /// <summary>How long its signal is; baresip hangs up at its end.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(20);

    public int SipPort { get; init; } = 5060;

    /// <summary>Parameters of the account beside these, as <c>;medianat=ice</c>.</summary>
    public string Further { get; init; } = "";
}
