using SipNat.Fuzz.Engine;
using SipNat.Fuzz.Targets;
using SipNat.Sip.Messages;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Fuzz.Dialogs;

/// <summary>Everybody else: what the script says, from allowed and other addresses, over UDP and connections.</summary>
internal sealed class Stranger
{
    private const int MaxRemembered = 32;
    private const int MaxFlows = 64;

    // Jumps of one run together: the silence that they leave is written, and takes its time.
    private static readonly TimeSpan LongestJumps = TimeSpan.FromMinutes(20);

    public static readonly TransportAddress StunServer = TransportAddress.Parse("198.51.100.1:3478");

    private static readonly TransportAddress[] Sources =
        Addresses.Of("192.0.2.20:5060", "192.0.2.20:40000", "192.0.2.21:5060", "203.0.113.9:5060", "192.0.2.22:1");

    private readonly DialogScene _scene;
    private readonly Random _random;
    private readonly Mutator _mutator;
    private readonly StrangerMessages _messages;
    private readonly List<FlowId> _flows = [DialogScene.Udp];
    private readonly List<byte[]> _requests = [];
    private readonly List<(FlowId Flow, StunTransactionId Id)> _stun = [];
    private readonly SipHeaderIndex _index = new();
    private TimeSpan _jumped;
    private int _lastFlow = (int)DialogScene.Udp.Value;

    public Stranger(DialogScene scene, int seed)
    {
        (_scene, _random) = (scene, new(seed));
        _mutator = new(_random, SipSeeds.Tokens, maxLength: 16 * 1024);
        _messages = new();
    }

    public void Step(ref Script script)
    {
        switch (script.Next(20))
        {
            case 0 or 1:
                Signal(ref script, _messages.Invite(ref script));
                break;
            case 2 or 3 or 4 or 5:
                Signal(ref script, _messages.InDialog(ref script));
                break;
            case 6:
                Signal(ref script, _messages.OutOfDialog(ref script));
                break;
            case 7 or 8:
                Answer(ref script);
                break;
            case 9 or 10:
                SendMedia(ref script);
                break;
            case 11:
                AnswerStun(ref script);
                break;
            case 12:
                ChangeFlow(ref script);
                break;
            case 13 or 14:
                _scene.Pass(TimeSpan.FromMilliseconds(script.NextByte()));
                break;
            case 15:
                _scene.Pass(TimeSpan.FromMilliseconds(script.NextByte() * 8));
                break;
            case 16:
                Jump(ref script);
                break;
            case 17:
                _scene.Service = (PortService)script.Next(3);
                break;
            case 18:
                ChangeOptions(ref script);
                break;
            default:
                _scene.HoldsEvents = script.NextBool();
                if (!_scene.HoldsEvents) _scene.Serve();
                break;
        }
    }

    /// <summary>Remembers what can be answered.</summary>
    public void Receive(FlowId flow, TransportAddress to, byte[] bytes)
    {
        if (StunMessage.TryRead(bytes, out var stun, out _))
        {
            if (_stun.Count == MaxRemembered) _stun.RemoveAt(0);
            _stun.Add((flow, stun.TransactionId));
            return;
        }

        if (to.Port == 4000 || !SipMessage.TryRead(bytes, _index, out var message, out _)) return;

        _scene.Note(message.IsRequest ? (int)message.Method : 8 + (message.StatusCode / 100));
        if (!message.IsRequest)
        {
            _messages.Learn(message);
            return;
        }

        if (_requests.Count == MaxRemembered) _requests.RemoveAt(0);
        _requests.Add(bytes);
    }

    private void Signal(ref Script script, byte[] message)
    {
        if (script.Next(8) == 0) message = _mutator.Mutate(message, _requests.Count > 0 ? _requests[^1] : message);
        _scene.Signal(_flows[script.Next(_flows.Count)], Sources[script.Next(Sources.Length)], message);
    }

    private void Answer(ref Script script)
    {
        if (_requests.Count == 0) return;

        var request = _requests[^(1 + script.Next(_requests.Count))];
        if (!SipMessage.TryRead(request, _index, out var message, out _)) return;

        Signal(ref script, _messages.Answer(ref script, message));
    }

    private void SendMedia(ref Script script)
    {
        if (_scene.Ports.Count == 0) return;

        var ports = _scene.Ports[script.Next(_scene.Ports.Count)];
        var flow = script.Next(4) == 0 ? ports.Rtcp : ports.Rtp;
        var spoofs = script.Next(8) == 0;
        var source = spoofs ? RecordingClient.Source : Sources[script.Next(Sources.Length)].WithPort(4000 + script.Next(3));
        for (var count = 1 + script.Next(12); count > 0; count--)
        {
            var packet = script.Next(8) switch
            {
                0 => script.NextBytes(64).ToArray(),
                1 => RtpSeeds.SenderReport(script.NextByte(), script.NextUInt32(), script.NextUInt32()),
                2 => [0x81, 203, 0, 1, 0, 0, 0, script.NextByte()],
                3 => _mutator.Mutate(RtpSeeds.Packet(new(0, script.NextByte(), 0, script.NextByte()), 160), [0x80]),
                _ => RtpSeeds.Packet(new(script.Next(3) == 0 ? 8 : 0, script.NextByte(), script.NextUInt16() * 80u, (uint)script.Next(3)), 160),
            };
            _scene.Media(flow, source, packet);
        }
    }

    private void AnswerStun(ref Script script)
    {
        if (_stun.Count == 0) return;

        var (flow, id) = _stun[^(1 + script.Next(_stun.Count))];
        var answer = StunMessageTarget.Answer(id, new([203, 0, 113, script.NextByte()], 1024 + script.NextByte()));
        if (script.Next(8) == 0) answer[script.Next(answer.Length)] ^= 0x10;
        var from = script.Next(8) == 0 ? Sources[0] : StunServer;
        if (flow == DialogScene.Udp) _scene.Signal(flow, from, answer);
        else _scene.Media(flow, from, answer);
    }

    private void ChangeFlow(ref Script script)
    {
        var peer = Sources[script.Next(Sources.Length)];
        switch (script.Next(4))
        {
            case 0 when _scene.Connections.TryDequeue(out var wanted):
                Open(wanted);
                break;
            case 0 or 1:
                Open(new(FlowRequestKind.Connect, default, TransportProtocol.Tcp, peer));
                break;
            case 2 when _flows.Count > 1:
                var closed = _flows[1 + script.Next(_flows.Count - 1)];
                _flows.Remove(closed);
                Change(closed, new(FlowChangeKind.Closed, TransportProtocol.Tcp, DialogScene.Local, peer));
                break;
            default:
                Change(DialogScene.Udp, new(FlowChangeKind.SendFailed, TransportProtocol.Udp, DialogScene.Local, peer));
                break;
        }
    }

    private void Open(FlowRequest wanted)
    {
        if (_flows.Count == MaxFlows) return;

        var flow = new FlowId(++_lastFlow);
        _flows.Add(flow);
        Change(flow, new(FlowChangeKind.Opened, wanted.Transport, DialogScene.Local, wanted.Remote) { TlsName = wanted.TlsName });
    }

    private void Change(FlowId flow, FlowChange change)
    {
        _scene.Core.HandleFlow(_scene.Now, flow, change);
        _scene.Pass(TimeSpan.Zero);
        _scene.JumpTo(_scene.Now);
    }

    // Always to the moment of a frame of the client, which is the first to be heard after it.
    private void Jump(ref Script script)
    {
        var jump = TimeSpan.FromSeconds(script.Next(4) switch { 0 => script.NextUInt16() / 256.0, 1 => script.NextByte() * 4, _ => script.NextByte() / 16.0 });
        if (_jumped + jump > LongestJumps) return;

        _jumped += jump;
        if (_scene.Client is null) _scene.JumpTo(_scene.Now + jump);
        if (_scene.Client?.NextFrameAt is not { } next) return;

        _scene.JumpTo(next + TimeSpan.FromMilliseconds((long)jump.TotalMilliseconds / 20 * 20));
    }

    private void Pause(ref Script script)
    {
        if (_scene.Others.Count == 0) return;

        var session = _scene.Others[script.Next(_scene.Others.Count)];
        _ = script.NextBool() ? _scene.Core.TryPause(_scene.Now, session) : _scene.Core.TryResume(_scene.Now, session);
    }

    private void ChangeOptions(ref Script script)
    {
        var kind = script.Next(4);
        if (kind == 0) _scene.SetStunServers(script.NextBool() ? [StunServer] : []);
        else if (kind == 1) Pause(ref script);
        else _scene.Core.SetExternalAddresses(_scene.Now, script.NextBool() ? [new([203, 0, 113, script.NextByte()], 0)] : []);
        _scene.JumpTo(_scene.Now);
    }
}
