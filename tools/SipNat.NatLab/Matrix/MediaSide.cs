using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Endpoint;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Server.Hosting;
using SipNat.Server.MediaEngine;
using SipNat.Server.Transport;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Turn;
using SipNat.Wire;
using SocketAddresses = SipNat.Endpoint.Media.SocketAddresses;

namespace SipNat.NatLab.Matrix;

/// <summary>
/// One media session of ours with its sockets, as <c>serve</c> runs it, that sends a tone of its own and looks for the
/// peer's in what it records. Descriptions pass by files, as nobody here signals.
/// </summary>
internal sealed class MediaSide(MediaSideOptions options) : IAsyncDisposable
{
    private const int Samples = 160;
    private const int MaxNotes = 50;
    private const int EnoughBytes = 8000;
    private static readonly SessionId Id = new("side");
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GatheringLimit = TimeSpan.FromSeconds(5);

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly Channel<MediaEvent> _events = Channel.CreateUnbounded<MediaEvent>();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _notes = [];
    private MediaThread _engine = null!;
    private MediaPortAddresses? _addresses;
    private MediaStreamReport? _report;
    private long _heard;
    private long _foreign;

    /// <summary>Runs the session until both sides have heard a second of audio, or the time is up.</summary>
    public async Task<MediaSideResult> RunAsync(CancellationToken stop)
    {
        Start();
        var reading = ReadEventsAsync();
        await GatherAsync(stop);
        var advertised = Advise();
        WriteWhole(options.Own, Describe(advertised));
        var peer = await ReadPeerAsync(stop);
        var begun = _clock.Now;
        _engine.TryPost(new MediaCommand.Configure(Id, peer));
        await TalkAsync(begun, stop);

        _engine.TryPost(new MediaCommand.Close(Id, PeerIsGone: false));
        await Task.WhenAny(_closed.Task, Task.Delay(ClosingLimit, stop));
        await _stop.CancelAsync();
        await reading;
        var heard = Interlocked.Read(ref _heard);
        var first = _report?.Stream.StartedAt is { } at && heard > 0 ? (at - begun).TotalMilliseconds : (double?)null;
        return new(heard >= EnoughBytes, heard, first, _foreign, advertised.Rtp.Address.ToString(), advertised.Rtp.Explain(), string.Join(" ", _notes));
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        _stop.Dispose();
    }

    private void Start()
    {
        var plane = new MediaPlane(new() { SparePorts = 1, Ice = options.Mode.UsesIce ? IceMode.Offered : IceMode.Off }, new SecureRandom());
        var connections = new TurnConnections(TlsTrust.System, TimeSpan.FromSeconds(5), NullLogger<TurnConnections>.Instance);
        _engine = new(MediaEngineKind.Auto, plane, _clock, new(), new(10_000, 10_099, 0), connections, happened => _events.Writer.TryWrite(happened), Take);
        _engine.Start();
        _engine.TryPost((now, own) =>
        {
            own.SetStunServers(now, options.Mode is MatrixMode.Latching ? [] : options.StunServers);
            own.SetTurnServers(options.Mode is MatrixMode.IceWithTurn ? options.TurnServers : []);
        });
        _engine.TryPost(new MediaCommand.Open(Id, options.Local, 1));
        _engine.TryPost(new MediaCommand.Gather(Id, 0, new(options.Mode.UsesIce ? 1 : 0, options.Role, IsLocalPeer: false)));
    }

    private async Task GatherAsync(CancellationToken stop)
    {
        var begun = _clock.Now;
        while (_addresses is null || (options.Mode.UsesIce && _addresses.Ice is null) || (_addresses.MappingAwaited && _clock.Now - begun < GatheringLimit))
        {
            await Task.Delay(Poll, stop);
        }
    }

    private (AdvertisedAddress Rtp, AdvertisedAddress Rtcp) Advise()
    {
        var advisor = new AddressAdvisor(new());
        return (Of(_addresses!.Rtp), Of(_addresses.Rtcp));

        AdvertisedAddress Of(SocketAddresses socket) => advisor.Advise(new()
        {
            Use = AddressUse.Media,
            Peer = options.PeerSource,
            Local = socket.Local,
            Mapping = socket.Mapping,
            Relayed = socket.Relayed,
            LastKnown = socket.LastMapped,
        });
    }

    private string Describe((AdvertisedAddress Rtp, AdvertisedAddress Rtcp) advertised) => SdpWriter.WriteText(new()
    {
        Origin = new("sipnat", "1", "1", SdpConnection.From(advertised.Rtp.Address)),
        Connection = SdpConnection.From(advertised.Rtp.Address),
        Media =
        [
            new()
            {
                Kind = "audio",
                Port = advertised.Rtp.Address.Port,
                Protocol = "RTP/AVP",
                Formats = ["0"],
                Attributes =
                [
                    new("rtcp-mux"),
                    new("sendrecv"),
                    .. _addresses!.Ice is { } ice ? IceNegotiation.Describe(ice, _addresses, advertised.Rtp, advertised.Rtcp, mux: true, trims: false) : [],
                ],
            },
        ],
    });

    private async Task<MediaSettings> ReadPeerAsync(CancellationToken stop)
    {
        while (!File.Exists(options.Peer)) await Task.Delay(Poll, stop);

        if (!SdpReader.TryRead(await File.ReadAllBytesAsync(options.Peer, stop), out var sdp, out var defect)) throw new InvalidDataException($"{options.Peer}: {defect}");

        var media = sdp.Media[0];
        var rtp = media.RtpAddress(sdp.ConnectionOf(media)) ?? default;
        var ice = IceNegotiation.Read([.. sdp.Attributes, .. media.Attributes], rtp, rtp, out _);
        return new(
            options.PeerSource,
            Acknowledged: true,
            Paused: false,
            [new(0, 0, [new(0, PayloadFormat.Pcmu)], rtp, rtp, RtcpMux: true, ShouldSend: true, options.Mode.UsesIce ? ice : null)]);
    }

    // Until this side has heard enough and the other says the same of itself.
    private async Task TalkAsync(Instant begun, CancellationToken stop)
    {
        var tone = new byte[Samples];
        tone.AsSpan().Fill(options.Tone);
        using var timer = new PeriodicTimer(Frame);
        var isTold = false;
        while (_clock.Now - begun < options.Mode.Limit && !(isTold && File.Exists(options.PeerDone)))
        {
            _engine.TryPost((now, own) => own.TrySendAudio(now, Id, 0, 0, tone, Samples));
            if (!isTold && Interlocked.Read(ref _heard) >= EnoughBytes)
            {
                WriteWhole(options.OwnDone, "heard");
                isTold = true;
            }

            await timer.WaitForNextTickAsync(stop);
        }
    }

    private void Take(RecordingWrite write)
    {
        if (write.Buffer is not { } buffer) return;

        using (buffer)
        {
            // Packets that are kept beside the audio are another file.
            if (write.File.Codec.Known is null) return;

            foreach (var sample in buffer.Written.Span)
            {
                if (sample == options.PeerTone) _heard++;
                else if (sample != 0xFF) _foreign++;
            }
        }
    }

    private async Task ReadEventsAsync()
    {
        try
        {
            await foreach (var happened in _events.Reader.ReadAllAsync(_stop.Token))
            {
                if (happened is MediaEvent.Opened(_, var ports)) _addresses = ports[0];
                else if (happened is MediaEvent.AddressesChanged(_, _, var addresses)) _addresses = addresses;
                else if (happened is MediaEvent.Noted(_, var entry)) Note(entry.Text);
                else if (happened is MediaEvent.Found(_, var finding)) Note(finding.Text);
                else if (happened is MediaEvent.Closed(_, var reports))
                {
                    _report = reports.Count > 0 ? reports[0] : null;
                    _closed.TrySetResult();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    private void Note(string text)
    {
        if (_notes.Count < MaxNotes) _notes.Add(text);
    }

    // The other side reads it as soon as it is there.
    private static void WriteWhole(string file, string text)
    {
        File.WriteAllText(file + ".part", text, Encoding.UTF8);
        File.Move(file + ".part", file);
    }
}

/// <summary>What one side is told.</summary>
internal sealed record MediaSideOptions
{
    public required MatrixMode Mode { get; init; }

    public required IceRole Role { get; init; }

    /// <summary>The address to bind.</summary>
    public required TransportAddress Local { get; init; }

    /// <summary>Where the peer's signalling would come from.</summary>
    public required TransportAddress PeerSource { get; init; }

    /// <summary>The folder in which the descriptions pass.</summary>
    public required string Folder { get; init; }

    public IReadOnlyList<TransportAddress> StunServers { get; init; } = [];

    public IReadOnlyList<TurnServerOptions> TurnServers { get; init; } = [];

    public string Own => Path("sdp", Role);

    public string Peer => Path("sdp", Other);

    public string OwnDone => Path("heard", Role);

    public string PeerDone => Path("heard", Other);

    /// <summary>The byte that fills this side's frames.</summary>
    public byte Tone => ToneOf(Role);

    public byte PeerTone => ToneOf(Other);

    private IceRole Other => Role is IceRole.Controlling ? IceRole.Controlled : IceRole.Controlling;

    private static byte ToneOf(IceRole role) => role is IceRole.Controlling ? (byte)0x2A : (byte)0x55;

    private string Path(string what, IceRole role) => System.IO.Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{Mode}-{role}.{what}"));
}

/// <summary>What became of one side.</summary>
/// <param name="Heard">Whether a second of the peer's audio was recorded.</param>
/// <param name="Bytes">Bytes of the peer's tone.</param>
/// <param name="FirstMilliseconds">From the exchange of descriptions to the first packet; null where none came.</param>
/// <param name="Foreign">Bytes that are neither the peer's tone nor silence.</param>
/// <param name="Advertised">The address that the peer was told.</param>
/// <param name="Notes">What the session said of its path, and its findings.</param>
public sealed record MediaSideResult(bool Heard, long Bytes, double? FirstMilliseconds, long Foreign, string Advertised, string Why, string Notes);
