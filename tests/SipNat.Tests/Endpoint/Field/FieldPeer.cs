using System.Buffers.Binary;
using System.Text;
using SipNat.Simulation;
using SipNat.Simulation.Srtp;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>
/// Sends the messages of one case as they stand in their files, acknowledges what must be, answers what the recorder
/// asks, and sends numbered frames wherever the last offer and answer say so. It hangs up where the files do not.
/// </summary>
internal sealed class FieldPeer : IProtocolCore
{
    private const int SipPort = 5060;
    private static readonly TransportAddress Recorder = TransportAddress.Parse("198.51.100.10:5060");

    private readonly FieldPeerOptions _options;
    private readonly IReadOnlyList<FieldMessage> _messages;
    private readonly SimulatedHost _host;
    private readonly Dictionary<int, FlowId> _flows = [];
    private readonly Dictionary<string, FieldDialog> _dialogs = [];
    private readonly FlowId _sip;
    private readonly List<(Instant Due, TransportAddress To, FieldDialog Dialog, ScriptedSipMessage Request)> _late = [];
    private int _next;
    private int _refused;
    private Instant? _messageDue;

    private FieldPeer(SimulatedNetwork network, string address, IReadOnlyList<FieldMessage> messages, FieldPeerOptions options)
    {
        (_messages, _options) = (messages, options);
        _messageDue = network.Now;
        _host = network.AddHost(address, this);
        _sip = _host.OpenUdp(SipPort);
        if (options.MediaAddress is { } media) _host.AddAddress(media);
        var local = options.MediaAddress is { } other ? TransportAddress.Parse(other) : default;
        foreach (var port in messages.SelectMany(m => m.Media).Select(m => m.Port + options.SourcePortOffset).Where(p => p > 0).Distinct()) _flows[port] = _host.OpenUdp(port, this, local);
        _host.Run(_ => { });
    }

    /// <summary>Both sides of the conversation, in order.</summary>
    public List<FieldEvent> Events { get; } = [];

    /// <summary>Every frame that was sent, by the Call-ID of its dialog.</summary>
    public List<(string CallId, SentFrame Frame)> Sent { get; } = [];

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            var deadline = _messageDue;
            foreach (var dialog in _dialogs.Values) deadline = Instant.Earlier(deadline, dialog.FrameDue);
            foreach (var late in _late) deadline = Instant.Earlier(deadline, late.Due);
            return deadline;
        }
    }

    public static FieldPeer AddTo(SimulatedNetwork network, string address, IReadOnlyList<FieldMessage> messages, FieldPeerOptions? options = null) =>
        new(network, address, messages, options ?? new());

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (flow != _sip || ScriptedSipMessage.Read(datagram) is not { } message) return;

        Events.Add(new(now, false, message.IsResponse ? message.StartLine : message.Method, message.Text));
        if (!_dialogs.TryGetValue(message.Header("Call-ID") ?? "", out var dialog)) return;

        if (message.IsResponse) HandleResponse(now, dialog, message);
        else HandleRequest(now, from, dialog, message);
    }

    public void HandleTimeout(Instant now)
    {
        if (_messageDue <= now) SendNext(now);
        foreach (var late in _late.Where(l => l.Due <= now).ToList())
        {
            _late.Remove(late);
            Answer(now, late.To, late.Dialog, late.Request);
        }

        foreach (var dialog in _dialogs.Values)
        {
            while (dialog.FrameDue <= now) SendFrames(now, dialog);
        }
    }

    private void SendNext(Instant now)
    {
        if (_next == _messages.Count)
        {
            _messageDue = null;
            foreach (var dialog in _dialogs.Values.Where(d => d.IsOpen)) Hang(now, dialog);
            return;
        }

        var message = _messages[_next++];
        var isNew = !_dialogs.TryGetValue(message.CallId, out var known);
        if (isNew) _dialogs.Add(message.CallId, known = new(message.CallId));
        var tag = known!.RecorderTag.Length > 0 ? known.RecorderTag : _dialogs.Values.First().RecorderTag;
        Send(now, message.Name, message.Bytes(tag));
        if (message.Media.Count > 0) known.Media = message.Media;
        if (message.Method is "INVITE") (known.Invite, known.IsOffering) = (Encoding.Latin1.GetString(message.Bytes(tag)), true);
        if (message.Method is "BYE") known.Close();
        if (_options.SendsEarly && isNew) known.Start(now, EarlyAnswer(message));

        // An ACK that brings an answer is sent when the 200 has come.
        _messageDue = now + _options.Interval;
        if (_next < _messages.Count && _messages[_next].Method is "ACK") _messageDue = null;
    }

    private void HandleResponse(Instant now, FieldDialog dialog, ScriptedSipMessage response)
    {
        if (response.Status < 200 || response.Method is not "INVITE")
        {
            if (response.Method is "UPDATE" && response.Body.Length > 0) dialog.Start(now, ScriptedAnswer.Read(response.Body));
            return;
        }

        dialog.IsOffering = false;
        dialog.RecorderTag = ScriptedSipMessage.Parameter(response.Header("To"), "tag") ?? "";
        if (response.Status >= 300)
        {
            Send(now, null, dialog.Request("ACK", response.Header("To")!, isSameTransaction: true));
            return;
        }

        dialog.To = response.Header("To")!;
        if (_next < _messages.Count && _messages[_next].Method is "ACK" && _messageDue is null) SendNext(now);
        else if (!_options.LosesAcks) Send(now, null, dialog.Request("ACK", dialog.To, isSameTransaction: false));
        if (response.Body.Length > 0 && dialog.Invite.Length > 0) dialog.Start(now, ScriptedAnswer.Read(response.Body));
    }

    private void HandleRequest(Instant now, TransportAddress from, FieldDialog dialog, ScriptedSipMessage request)
    {
        if (request.Method is "ACK") return;

        var isOffer = request.Method is "INVITE" or "UPDATE" && request.Body.Length > 0;
        if (isOffer && (dialog.IsOffering || _refused < _options.RefusesOffers))
        {
            _refused++;
            Events.Add(new(now, true, $"491 to {request.Method}", ""));
            Outbox.Add(_sip, from, FieldDialog.RefuseGlare(request));
        }
        else if (isOffer && _options.AnswersAfter > TimeSpan.Zero)
        {
            _late.Add((now + _options.AnswersAfter, from, dialog, request));
        }
        else
        {
            Answer(now, from, dialog, request);
        }
    }

    private void Answer(Instant now, TransportAddress from, FieldDialog dialog, ScriptedSipMessage request)
    {
        var answer = dialog.Answer(request, !_options.SendsRegardless);
        Events.Add(new(now, true, $"200 to {request.Method}", Encoding.UTF8.GetString(answer)));
        Outbox.Add(_sip, from, answer);
        if (request.Method is "BYE") dialog.Close();
    }

    private void Hang(Instant now, FieldDialog dialog)
    {
        Send(now, null, dialog.Request("BYE", dialog.To, isSameTransaction: false));
        dialog.Close();
    }

    private void Send(Instant now, string? name, byte[] bytes)
    {
        Events.Add(new(now, true, name ?? Encoding.Latin1.GetString(bytes).Split(' ')[0], Encoding.Latin1.GetString(bytes)));
        Outbox.Add(_sip, Recorder, bytes);
    }

    private void SendFrames(Instant now, FieldDialog dialog)
    {
        for (var stream = 0; stream < dialog.Media.Count && stream < dialog.Answers.Count; stream++)
        {
            var (media, answer) = (dialog.Media[stream], dialog.Answers[stream]);
            if (!media.Sends || answer.Rtp.IsNone || answer.Direction is not ("recvonly" or "sendrecv")) continue;

            var flow = _flows[media.Port + _options.SourcePortOffset];
            var copies = _options.SendsTwice ? 2 : 1;
            for (var copy = 0; copy < copies; copy++) SendFrame(flow, answer.Rtp, stream, dialog.Frame, _options.PayloadType ?? media.PayloadType, dialog.SsrcOf(stream), media.Protection);
            if (_options.HasSecondSource) SendFrame(flow, answer.Rtp, stream + 100, dialog.Frame, media.PayloadType, dialog.SsrcOf(stream) + 1);
            Sent.Add((dialog.CallId, new(stream, dialog.Frame, now, answer.Rtp, dialog.SsrcOf(stream), (ushort)dialog.Frame, (uint)(dialog.Frame * ScriptedFrame.Length))));
        }

        dialog.Frame++;
    }

    private void SendFrame(FlowId flow, TransportAddress to, int stream, int frame, int payloadType, uint ssrc, PlainSrtp? protection = null)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        (packet[0], packet[1]) = (0x80, (byte)payloadType);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)frame);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)(frame * ScriptedFrame.Length));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), ssrc);
        ScriptedFrame.Fill(stream, frame, packet.AsSpan(12));
        Outbox.Add(flow, to, protection?.Protect(packet) ?? packet);
    }

    // Before any answer only the recorder's first ports can be guessed.
    private static List<ScriptedAnswer> EarlyAnswer(FieldMessage invite) =>
        [.. invite.Media.Select((_, i) => new ScriptedAnswer(Recorder.WithPort(10000 + (2 * i)), default, "recvonly", null, false))];
}

/// <summary>What a <see cref="FieldPeer"/> does otherwise than it says.</summary>
internal sealed record FieldPeerOptions
{
    /// <summary>From one message to the next, and from the last to the BYE.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The payload type of its packets, whatever was offered.</summary>
    public int? PayloadType { get; init; }

    /// <summary>Packets leave from a port that lies this much above the one of the SDP.</summary>
    public int SourcePortOffset { get; init; }

    /// <summary>Packets leave from this address; null for the one of signalling.</summary>
    public string? MediaAddress { get; init; }

    /// <summary>Packets go on whatever the recorder asks for.</summary>
    public bool SendsRegardless { get; init; }

    /// <summary>Packets begin with the INVITE, not with its answer.</summary>
    public bool SendsEarly { get; init; }

    /// <summary>Each packet is sent twice.</summary>
    public bool SendsTwice { get; init; }

    /// <summary>A second SSRC sends on the same port.</summary>
    public bool HasSecondSource { get; init; }

    /// <summary>How many offers of the recorder meet one of its own that is on its way; those that do meet one get 491 anyhow.</summary>
    public int RefusesOffers { get; init; }

    /// <summary>How long an offer of the recorder waits for its answer; an INVITE is repeated meanwhile.</summary>
    public TimeSpan AnswersAfter { get; init; }

    /// <summary>The 200 is never acknowledged.</summary>
    public bool LosesAcks { get; init; }
}

/// <summary>A message of the conversation; <paramref name="Name"/> is the file's, the method's or the status line's.</summary>
internal sealed record FieldEvent(Instant At, bool IsSent, string Name, string Text);
