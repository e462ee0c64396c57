using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SipNat.Lab.Tests.Bench;

/// <summary>
/// The least that a recorder must do, over loopback: answers the client's requests, keeps RTP payload by timestamp,
/// and asks in the dialog what the test wants asked.
/// </summary>
internal sealed class ScriptedRecorder : IAsyncDisposable
{
    private readonly Socket _sip = Bind();
    private readonly Socket[] _media = [Bind(), Bind()];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _loops;
    private readonly Lock _gate = new();
    private readonly List<string> _requests = [];
    private readonly List<string> _responses = [];
    private readonly List<(uint Timestamp, byte[] Payload, EndPoint From)>[] _frames = [[], []];
    private readonly TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EndPoint? _client;
    private string _invite = "";

    public ScriptedRecorder() => _loops = [ReceiveSipAsync(), ReceiveMediaAsync(0), ReceiveMediaAsync(1)];

    public IPEndPoint EndPoint => (IPEndPoint)_sip.LocalEndPoint!;

    /// <summary>Text of every request that came.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_gate) return [.. _requests];
        }
    }

    /// <summary>Status lines of the client's answers, with the method.</summary>
    public IReadOnlyList<string> Responses
    {
        get
        {
            lock (_gate) return [.. _responses];
        }
    }

    /// <summary>Completes when an ACK has come, which nobody answers.</summary>
    public Task Acknowledged => _acknowledged.Task;

    /// <summary>Leaves this many INVITEs unanswered first, as a lossy network would.</summary>
    public int InvitesToLose { get; set; }

    /// <summary>Answers INVITEs with this status line instead of 200.</summary>
    public string? Refusal { get; set; }

    /// <summary>Frames of a stream by arrival.</summary>
    public IReadOnlyList<(uint Timestamp, byte[] Payload, EndPoint From)> Frames(int stream)
    {
        lock (_gate) return [.. _frames[stream]];
    }

    /// <summary>Sends a request in the dialog of the last INVITE.</summary>
    public Task AskAsync(string method, int cseq)
    {
        var (from, to) = (Header(_invite, "To") + ";tag=rec", Header(_invite, "From"));
        var text =
            $"{method} sip:client SIP/2.0\r\nVia: SIP/2.0/UDP {EndPoint};branch=z9hG4bK{method}{cseq}\r\nMax-Forwards: 70\r\n" +
            $"From: {from}\r\nTo: {to}\r\nCall-ID: {Header(_invite, "Call-ID")}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n";
        return _sip.SendToAsync(Encoding.UTF8.GetBytes(text), SocketFlags.None, _client!);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        _sip.Dispose();
        foreach (var socket in _media) socket.Dispose();
        _stop.Dispose();
    }

    private async Task ReceiveSipAsync()
    {
        var buffer = new byte[65_535];
        while (await ReceiveAsync(_sip, buffer) is { } received)
        {
            var text = Encoding.UTF8.GetString(buffer, 0, received.ReceivedBytes);
            if (text.Trim().Length == 0) continue;

            _client = received.RemoteEndPoint;
            if (text.StartsWith("SIP/2.0", StringComparison.Ordinal))
            {
                lock (_gate) _responses.Add($"{text.Split("\r\n")[0]} {Header(text, "CSeq").Split(' ')[1]}");
                continue;
            }

            lock (_gate) _requests.Add(text);
            if (Answer(text) is { } answer) await _sip.SendToAsync(Encoding.UTF8.GetBytes(answer), SocketFlags.None, received.RemoteEndPoint);
        }
    }

    private string? Answer(string request)
    {
        var method = request.Split(' ')[0];
        if (method == "ACK")
        {
            _acknowledged.TrySetResult();
            return null;
        }

        if (method == "INVITE")
        {
            _invite = request;
            if (InvitesToLose-- > 0) return null;
            if (Refusal is not null) return Response(request, Refusal, "");
        }

        return Response(request, "200 OK", method == "INVITE" ? Sdp(request) : "");
    }

    private string Response(string request, string status, string body)
    {
        var to = Header(request, "To");
        if (!to.Contains("tag=", StringComparison.Ordinal)) to += ";tag=rec";
        var text =
            $"SIP/2.0 {status}\r\nVia: {Header(request, "Via")}\r\nFrom: {Header(request, "From")}\r\nTo: {to}\r\n" +
            $"Call-ID: {Header(request, "Call-ID")}\r\nCSeq: {Header(request, "CSeq")}\r\nContact: <sip:{EndPoint}>;+sip.srs\r\n";
        return text + (body.Length > 0 ? "Content-Type: application/sdp\r\n" : "") + $"Content-Length: {body.Length}\r\n\r\n{body}";
    }

    private string Sdp(string request)
    {
        var direction = request.Contains("a=inactive", StringComparison.Ordinal) ? "inactive" : "recvonly";
        var text = "v=0\r\no=rec 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
        for (var i = 0; i < _media.Length; i++)
        {
            text += $"m=audio {((IPEndPoint)_media[i].LocalEndPoint!).Port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:{i + 1}\r\na={direction}\r\n";
        }

        return text;
    }

    private async Task ReceiveMediaAsync(int stream)
    {
        var buffer = new byte[2048];
        while (await ReceiveAsync(_media[stream], buffer) is { } received)
        {
            var timestamp = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4));
            lock (_gate) _frames[stream].Add((timestamp, buffer[12..received.ReceivedBytes], received.RemoteEndPoint));
        }
    }

    private async Task<SocketReceiveFromResult?> ReceiveAsync(Socket socket, byte[] buffer)
    {
        try
        {
            return await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static string Header(string message, string name) =>
        message.Split("\r\n").First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
