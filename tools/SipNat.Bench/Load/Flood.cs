using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Bench.Rtp;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Load;

/// <summary>
/// Throws INVITEs, OPTIONS and stray RTP at a recorder at an even pace and counts what it answers by status. It never
/// acknowledges anything and answers nothing.
/// </summary>
internal sealed class Flood : IDisposable
{
    private const int RoundsPerSecond = 100;
    private const int MaxDatagram = 65_535;
    private const int ReceiveBuffer = 1 << 22;

    private readonly FloodOptions _options;
    private readonly IPEndPoint _server;
    private readonly Socket _sip;
    private readonly Socket _rtp;
    private readonly Random _random = new(1);
    private readonly byte[] _packet = new byte[RtpFrames.HeaderLength + FrameContent.Length];
    private readonly byte[] _buffer = new byte[MaxDatagram];
    private readonly string _body;
    private readonly SortedDictionary<int, long> _answers = [];
    private long _invites;
    private long _optionsSent;
    private long _packets;

    public Flood(FloodOptions options, IPEndPoint server)
    {
        (_options, _server) = (options, server);
        _sip = Bind(options.From);
        _rtp = Bind(options.From);
        var stream = new LoadStream(int.MaxValue, "1", ((IPEndPoint)_rtp.LocalEndPoint!).Port, 0, _random);
        _body = OfferText.Build(1, 1, options.From, [stream], "sendonly");
    }

    /// <summary>Sends for the given time, on a thread of its own.</summary>
    public Task<FloodReport> RunAsync(CancellationToken stop) =>
        Task.Factory.StartNew(() => Run(stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Dispose()
    {
        _sip.Dispose();
        _rtp.Dispose();
    }

    private FloodReport Run(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var rounds = (long)(_options.Duration.TotalSeconds * RoundsPerSecond);
        for (var round = 1L; round <= rounds && !stop.IsCancellationRequested; round++)
        {
            for (; _invites < round * _options.InvitesPerSecond / RoundsPerSecond; _invites++) Send(_sip, Invite(), _server);
            for (; _optionsSent < round * _options.OptionsPerSecond / RoundsPerSecond; _optionsSent++) Send(_sip, Request("OPTIONS", "", ""), _server);
            for (; _packets < round * _options.PacketsPerSecond / RoundsPerSecond; _packets++) SendStray();
            CountAnswers();
            var early = TimeSpan.FromSeconds((double)round / RoundsPerSecond) - clock.Elapsed;
            if (early > TimeSpan.Zero) Thread.Sleep(early);
        }

        return new(_invites, _optionsSent, _packets, Math.Round(clock.Elapsed.TotalSeconds, 1), _answers);
    }

    private string Invite() => Request("INVITE", $"Contact: <sip:flood@{_sip.LocalEndPoint}>;+sip.src\r\nRequire: siprec\r\nContent-Type: application/sdp\r\n", _body);

    private string Request(string method, string headers, string body)
    {
        var token = $"{_random.NextInt64():x16}";
        return
            $"{method} sip:recorder@{_server} SIP/2.0\r\nVia: SIP/2.0/UDP {_sip.LocalEndPoint};rport;branch=z9hG4bK{token}\r\n" +
            $"Max-Forwards: 70\r\nFrom: <sip:flood@{_sip.LocalEndPoint}>;tag={token}\r\nTo: <sip:recorder@{_server}>\r\n" +
            $"Call-ID: flood-{token}\r\nCSeq: 1 {method}\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
    }

    // A stream of its own to each port: rising sequence numbers, one SSRC, a payload type that every session has.
    private void SendStray()
    {
        var ports = _options.LastPort - _options.FirstPort + 1;
        var frame = (int)(_packets / ports);
        RtpFrames.WriteHeader(_packet, 0, false, (ushort)frame, (uint)(frame * FrameContent.Length), 0x0BAD_0BAD);
        Send(_rtp, _packet, new(_server.Address, _options.FirstPort + (int)(_packets % ports)));
    }

    private void CountAnswers()
    {
        while (_sip.Available > 0)
        {
            var length = Receive();
            if (length < 12 || !_buffer.AsSpan().StartsWith("SIP/2.0 "u8) || !int.TryParse(_buffer.AsSpan(8, 3), out var status)) continue;

            _answers[status] = _answers.GetValueOrDefault(status) + 1;
        }
    }

    private int Receive()
    {
        try
        {
            return _sip.Receive(_buffer);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static void Send(Socket socket, string message, IPEndPoint to) => Send(socket, Encoding.UTF8.GetBytes(message), to);

    private static void Send(Socket socket, byte[] datagram, IPEndPoint to)
    {
        try
        {
            socket.SendTo(datagram, to);
        }
        catch (SocketException)
        {
            // A flood does not care what becomes of one datagram.
        }
    }

    private static Socket Bind(IPAddress local)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = ReceiveBuffer };
        socket.Bind(new IPEndPoint(local, 0));
        return socket;
    }
}
