using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Bench.Audio;
using SipNat.Bench.Rtp;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Siprec;

/// <summary>
/// A session recording client (RFC 7866) of its own make: offers labelled streams with metadata, sends their audio at
/// its pace, answers the recorder's requests and reports all it saw. One instance runs one session.
/// </summary>
public sealed class SiprecClient : IDisposable
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(150);
    private static readonly byte[] KeepalivePing = "\r\n\r\n"u8.ToArray();

    private readonly SiprecClientOptions _options;
    private readonly SessionLog _log;
    private readonly List<OutgoingStream> _streams;
    private readonly IPAddress _local;
    private readonly string _callId;
    private readonly ulong _sdpId;
    private int _sdpVersion;
    private string _direction;
    private string _sdp = "";

    /// <param name="progress">Gets a line for each message and step.</param>
    /// <exception cref="InvalidDataException">A file to play has another format.</exception>
    /// <exception cref="SocketException">An address or port cannot be bound.</exception>
    public SiprecClient(SiprecClientOptions options, TextWriter progress)
    {
        _options = options;
        _log = new(progress);
        _local = options.LocalAddress ?? UdpSipChannel.RouteTo(options.Server);
        _direction = options.StartInactive ? "inactive" : "sendonly";
        _callId = options.CallId ?? ClientDialog.Token(12);
        var random = new Random(options.Seed);
        _sdpId = (ulong)random.NextInt64(1, 1L << 53);
        _streams = [];
        for (var i = 0; i < options.Streams; i++) _streams.Add(CreateStream(i, random));
    }

    /// <summary>The whole session, from INVITE to BYE. Cancelling ends it early with a BYE.</summary>
    /// <exception cref="SocketException">The server refuses the connection or cannot be reached.</exception>
    public async Task<SiprecClientReport> RunAsync(CancellationToken stop)
    {
        using var channel = await OpenChannelAsync(stop);
        using var lifetime = new CancellationTokenSource();
        using var pump = new MediaPump(_streams, _options.Duration, _options.Rtcp);
        var identity = Identity(channel);
        var dialog = new ClientDialog(identity, channel, _options.Server);
        var requests = new RecorderRequests(dialog, identity.Contact, _log, () => Volatile.Read(ref _sdp), Apply);
        var transactions = new ClientTransactions(channel, requests.Answer, _log.Response);
        var receiving = transactions.RunAsync(lifetime.Token);
        var keeping = KeepAliveAsync(channel, dialog, lifetime.Token);
        var session = new RunningSession(dialog, transactions, requests, pump, identity.Contact);
        try
        {
            return await RunSessionAsync(session, channel, stop);
        }
        finally
        {
            await lifetime.CancelAsync();
            await Task.WhenAll(receiving, keeping);
        }
    }

    public void Dispose()
    {
        foreach (var stream in _streams) stream.Dispose();
    }

    private async Task<SiprecClientReport> RunSessionAsync(RunningSession session, ISipChannel channel, CancellationToken stop)
    {
        var report = new SiprecClientReport
        {
            Result = SiprecOutcome.NoAnswer,
            CallId = _callId,
            Local = channel.Local.ToString(),
            Server = _options.Server.ToString(),
        };
        _log.Restart();
        _log.Say($"INVITE to {_options.Server} over {channel.Transport} from {channel.Local}, Call-ID {_callId}");
        SipText? response;
        try
        {
            response = await InviteAsync(session, first: true, stop);
        }
        catch (OperationCanceledException)
        {
            return _log.AddTo(report with { Result = SiprecOutcome.Cancelled });
        }

        if (response is null) return _log.AddTo(report);

        report = report with
        {
            Status = response.Status,
            Reason = response.Reason,
            Warning = response.First("Warning") is { Length: > 0 } warning ? warning : null,
            AnswerMilliseconds = Math.Round(_log.Seconds * 1000, 1),
            Contact = response.First("Contact"),
            Result = response.Status < 300 ? SiprecOutcome.Recorded : SiprecOutcome.Rejected,
        };
        if (report.Result is SiprecOutcome.Rejected) return _log.AddTo(report);

        session.Pump.Sending = !_options.StartInactive;
        session.Pump.Start();
        var end = await PlayAsync(session, stop);
        await Task.Delay(Settle, CancellationToken.None);
        session.Pump.Stop();
        return _log.AddTo(report with { Streams = SentFiles.Save(_options.SentDirectory, _callId, _streams), EndedBy = end });
    }

    private async Task<SessionEnd> PlayAsync(RunningSession session, CancellationToken stop)
    {
        try
        {
            foreach (var (at, step) in Steps(session).OrderBy(step => step.At))
            {
                var pause = at - session.Pump.Elapsed;
                if (pause > TimeSpan.Zero) await Task.WhenAny(session.Requests.Ended, Task.Delay(pause, stop)).Unwrap();
                if (session.Requests.Ended.IsCompleted) return SessionEnd.Recorder;

                await step(stop);
            }

            if (_options.WaitForBye is { } limit && await WaitForByeAsync(session, limit, stop)) return SessionEnd.Recorder;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _log.Say("interrupted");
        }

        if (session.Requests.Ended.IsCompleted) return SessionEnd.Recorder;

        return await ByeAsync(session) ? SessionEnd.Client : SessionEnd.None;
    }

    private IEnumerable<(TimeSpan At, Func<CancellationToken, Task> Step)> Steps(RunningSession session)
    {
        if (_options.HoldAt is { } hold) yield return (hold, stop => DirectAsync(session, "inactive", stop));
        if (_options.ResumeAt is { } resume) yield return (resume, stop => DirectAsync(session, "sendonly", stop));
        if (_options.MoveAt is { } move) yield return (move, stop => MoveAsync(session, stop));
        yield return (_options.Duration, stop => session.Pump.LastFrameSent.WaitAsync(stop));
    }

    private async Task DirectAsync(RunningSession session, string direction, CancellationToken stop)
    {
        _log.Say(direction == "inactive" ? "hold" : "resume");
        _direction = direction;
        if (direction == "inactive") session.Pump.Sending = false;
        await InviteAsync(session, first: false, stop);
        if (direction != "inactive") session.Pump.Sending = true;
    }

    private async Task MoveAsync(RunningSession session, CancellationToken stop)
    {
        var sockets = _streams.ConvertAll(stream => stream.OpenFurtherSockets());
        foreach (var (stream, further) in _streams.Zip(sockets)) stream.Use(further);
        _log.Say("move to " + string.Join(", ", sockets.Select(further => further.Port)));
        await InviteAsync(session, first: false, stop);
    }

    private async Task<bool> WaitForByeAsync(RunningSession session, TimeSpan limit, CancellationToken stop)
    {
        _log.Say($"waiting up to {limit.TotalSeconds:F0} s for the recorder's BYE");
        return await Task.WhenAny(session.Requests.Ended, Task.Delay(limit, stop)) == session.Requests.Ended;
    }

    private async Task<bool> ByeAsync(RunningSession session)
    {
        _log.Say("BYE");
        var bye = session.Dialog.Request("BYE", [], SipBody.None);
        var response = await session.Transactions.RequestAsync(bye, TimeSpan.FromSeconds(8), CancellationToken.None);
        if (response is null) _log.Defect("BYE was not answered.");
        return response is not null;
    }

    // An INVITE, its ACK, and the answer applied; null when nobody answered.
    private async Task<SipText?> InviteAsync(RunningSession session, bool first, CancellationToken stop)
    {
        var sdp = OfferText.Build(_sdpId, ++_sdpVersion, MediaAddress, _streams, _direction);
        Volatile.Write(ref _sdp, sdp);
        var body = first ? MultipartBody.Build(sdp, MetadataText.Build(_streams, DateTimeOffset.UtcNow)) : SipBody.Sdp(sdp);
        var invite = session.Dialog.Request("INVITE", InviteHeaders(), body);
        var response = await session.Transactions.RequestAsync(invite, _options.AnswerTimeout, stop);
        if (response is null)
        {
            _log.Defect(first ? "INVITE was not answered." : "re-INVITE was not answered.");
            return null;
        }

        if (response.Status >= 300)
        {
            await session.Transactions.Channel.SendAsync(session.Dialog.AcknowledgeRefusal(invite, response), invite.Destination, stop);
            return response;
        }

        session.Dialog.Establish(response);
        await session.Transactions.AcknowledgeAsync(session.Dialog, invite, stop);
        TakeAnswer(response);
        return response;
    }

    private void TakeAnswer(SipText response)
    {
        var sdp = Encoding.UTF8.GetString(response.Body);
        _log.Answer(sdp);
        if (response.First("Content-Type") is var type && !type.StartsWith("application/sdp", StringComparison.OrdinalIgnoreCase))
        {
            _log.Defect($"The answer's Content-Type is '{type}', wanted application/sdp.");
        }

        if (!response.First("Contact").Contains("+sip.srs", StringComparison.Ordinal)) _log.Defect("The Contact of the 200 has no +sip.srs (RFC 7866 §6.1.2).");
        var answer = SessionAnswer.Read(sdp);
        foreach (var defect in answer.Defects(_streams, _direction == "inactive")) _log.Defect(defect);
        Apply(answer);
    }

    private void Apply(SessionAnswer answer)
    {
        foreach (var (stream, media) in _streams.Zip(answer.Media))
        {
            if (media.Target?.Rtp.ToString() != stream.Target?.Rtp.ToString()) _log.Say($"stream {stream.Label} goes to {media.Target?.Rtp.ToString() ?? "nowhere"}");
            stream.Target = media.Target;
        }
    }

    private IEnumerable<string> InviteHeaders()
    {
        yield return "Require: siprec";
        yield return "Supported: timer, replaces";
        yield return "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY";
        yield return "Accept: application/sdp, " + MetadataText.MediaType;
        if (_options.SessionExpires is { } expires) yield return $"Session-Expires: {expires.TotalSeconds:F0};refresher=uas";
    }

    private IPAddress MediaAddress => _options.AdvertisedAddress ?? _local;

    private OutgoingStream CreateStream(int index, Random random)
    {
        var audio = index < _options.Play.Count
            ? AudioSource.FromFile(_options.Codec, _options.Play[index])
            : AudioSource.Generate(_options.Codec, _options.Seed, index);
        var port = _options.RtpPort == 0 ? 0 : _options.RtpPort + (2 * index);
        return new($"{index + 1}", audio, _options.Codec, _local, port, random);
    }

    private async Task<ISipChannel> OpenChannelAsync(CancellationToken stop)
    {
        var local = new IPEndPoint(_local, _options.SipPort);
        return _options.Transport is SipTransport.Udp
            ? new UdpSipChannel(local)
            : await TcpSipChannel.ConnectAsync(local, _options.Server, stop);
    }

    private ClientDialogIdentity Identity(ISipChannel channel)
    {
        var port = channel.Local.Port;
        var contactAddress = _options.PrivateContact ? _local : MediaAddress;
        var transport = channel.IsReliable ? ";transport=tcp" : "";
        return new(
            _callId,
            $"sip:recorded@{new IPEndPoint(contactAddress, port)}",
            new IPEndPoint(contactAddress, port).ToString(),
            $"<sip:recorded@{new IPEndPoint(contactAddress, port)}{transport}>;+sip.src");
    }

    private async Task KeepAliveAsync(ISipChannel channel, ClientDialog dialog, CancellationToken stop)
    {
        if (_options.Keepalive is not { } interval) return;

        try
        {
            while (true)
            {
                await Task.Delay(interval, stop);
                await channel.SendAsync(KeepalivePing, dialog.Destination, stop);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // The session or its connection has ended; the transactions report the latter.
        }
    }

    private sealed record RunningSession(
        ClientDialog Dialog, ClientTransactions Transactions, RecorderRequests Requests, MediaPump Pump, string Contact);
}
