using System.Diagnostics;
using System.Net;
using System.Text;
using SipNat.Bench.Sip;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Load;

/// <summary>One recording session of a load run: INVITE with metadata, two streams, BYE.</summary>
internal sealed class LoadSession
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(32);
    private static readonly TimeSpan ByeLimit = TimeSpan.FromSeconds(16);

    private readonly ClientTransactions _transactions;
    private readonly ClientDialog _dialog;
    private readonly RecorderRequests _requests;
    private readonly PacedSender _sender;
    private readonly List<(SendGroup Group, LoadStream Stream)> _streams;
    private readonly IPEndPoint _server;
    private readonly string _sdp;
    private readonly bool _rtcpMux;
    private long _inviteSent;
    private long _answerSeen;
    private long _byeAnswerSeen;

    /// <param name="rtcpMux">Whether it is offered that RTCP shares the port of RTP, and has to be answered.</param>
    public LoadSession(
        ClientTransactions transactions, PacedSender sender, IPEndPoint server, IReadOnlyList<(SendGroup Group, LoadStream Stream)> streams, bool rtcpMux = false)
    {
        (_transactions, _sender, _server, _streams, _rtcpMux) = (transactions, sender, server, [.. streams], rtcpMux);
        var channel = transactions.Channel;
        CallId = $"load-{ClientDialog.Token(12)}";
        var identity = new ClientDialogIdentity(CallId, $"sip:load@{channel.Local}", channel.Local.ToString(), $"<sip:load@{channel.Local}>;+sip.src");
        _dialog = new(identity, channel, server);
        _sdp = OfferText.Build((ulong)streams[0].Stream.Ssrc, 1, channel.Local.Address, Streams, "sendonly", rtcpMux);
        _requests = new(_dialog, identity.Contact, new(TextWriter.Null), () => _sdp, static _ => { });
    }

    public string CallId { get; }

    public IReadOnlyList<LoadStream> Streams => [.. _streams.Select(pair => pair.Stream)];

    /// <summary>Milliseconds from the first INVITE to its 200; null where there was none.</summary>
    public double? SetUpMilliseconds { get; private set; }

    /// <summary>When the 200 came, as a time stamp of <see cref="Stopwatch"/>.</summary>
    public long AnsweredAt => _answerSeen;

    /// <summary>When the first BYE was sent, as a time stamp of <see cref="Stopwatch"/>; 0 before.</summary>
    public long ByeSentAt { get; private set; }

    /// <summary>When the answer to the BYE came, as such a time stamp; 0 where none came.</summary>
    public long ByeAnsweredAt => _byeAnswerSeen;

    /// <summary>Whether the BYE was answered with 200.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>What went wrong; null where nothing did.</summary>
    public string? Problem { get; private set; }

    public byte[]? Answer(SipText request, IPEndPoint from) => _requests.Answer(request, from);

    /// <summary>Takes note of a response and of when it came, a time stamp of <see cref="Stopwatch"/>.</summary>
    public void SeeResponse(SipText response, long at)
    {
        if (response.Status < 200) return;

        if (_answerSeen == 0 && response.Method == "INVITE") _answerSeen = at;
        if (_byeAnswerSeen == 0 && response.Method == "BYE") _byeAnswerSeen = at;
    }

    /// <summary>OPTIONS outside a dialog, as a session border controller asks whether the recorder is there.</summary>
    public Task AskAsync(CancellationToken stop)
    {
        var identity = new ClientDialogIdentity($"{CallId}-options", $"sip:load@{_transactions.Channel.Local}", _transactions.Channel.Local.ToString(), $"<sip:load@{_transactions.Channel.Local}>");
        var options = new ClientDialog(identity, _transactions.Channel, _server).Request("OPTIONS", [], SipBody.None);
        return _transactions.RequestAsync(options, AnswerLimit, stop);
    }

    /// <summary>INVITE, 200 and ACK; then the streams are sent. False where the recorder did not take the session.</summary>
    public async Task<bool> SetUpAsync(CancellationToken stop)
    {
        var invite = _dialog.Request("INVITE", ["Require: siprec", "Supported: replaces"], MultipartBody.Build(_sdp, MetadataText.Build(Streams, DateTimeOffset.UtcNow)));
        _inviteSent = Stopwatch.GetTimestamp();
        var response = await _transactions.RequestAsync(invite, AnswerLimit, stop);
        if (response is null) return Fail("INVITE was not answered");

        if (response.Status >= 300)
        {
            await _transactions.Channel.SendAsync(_dialog.AcknowledgeRefusal(invite, response), invite.Destination, stop);
            return Fail($"INVITE was answered {response.Status} {response.Reason}{(response.First("Warning") is { Length: > 0 } warning ? $" ({warning})" : "")}");
        }

        SetUpMilliseconds = Stopwatch.GetElapsedTime(_inviteSent, _answerSeen).TotalMilliseconds;
        _dialog.Establish(response);
        await _transactions.AcknowledgeAsync(_dialog, invite, stop);
        return TryStart(SessionAnswer.Read(Encoding.UTF8.GetString(response.Body)));
    }

    /// <summary>Waits for the last frame of every stream.</summary>
    public Task WaitUntilSentAsync(CancellationToken stop) => Task.WhenAll(_streams.Select(pair => pair.Stream.Sent)).WaitAsync(stop);

    /// <summary>Waits for the last frame and ends the session.</summary>
    public async Task EndAsync(CancellationToken stop)
    {
        await WaitUntilSentAsync(stop);
        await HangUpAsync(stop);
    }

    /// <summary>Ends the session: BYE, and its answer.</summary>
    public async Task HangUpAsync(CancellationToken stop)
    {
        if (_requests.Ended.IsCompleted)
        {
            Fail("the recorder ended the session");
            return;
        }

        var bye = _dialog.Request("BYE", [], SipBody.None);
        ByeSentAt = Stopwatch.GetTimestamp();
        var response = await _transactions.RequestAsync(bye, ByeLimit, stop);
        IsEnded = response is { Status: 200 };
        if (!IsEnded) Fail($"BYE was answered {response?.Status.ToString() ?? "by nobody"}");
    }

    /// <summary>Gives the places of its streams at the sender back; it is over.</summary>
    public void Release() => _streams.ForEach(pair => _sender.Release(pair.Group));

    private bool TryStart(SessionAnswer answer)
    {
        if (answer.Defects(Streams, held: false).FirstOrDefault() is { } defect) return Fail(defect);
        if (answer.Media.Any(media => media.Target is null)) return Fail("a stream was refused");
        if (answer.Media.Any(media => media.RtcpMux != _rtcpMux)) return Fail(_rtcpMux ? "rtcp-mux was not answered" : "rtcp-mux was answered and not offered");

        foreach (var ((group, stream), media) in _streams.Zip(answer.Media))
        {
            stream.Destination = media.Target!.Rtp.Serialize();
            _sender.Start(group, stream);
        }

        return true;
    }

    private bool Fail(string problem)
    {
        Problem ??= problem;
        return false;
    }
}
