using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using SipNat.Bench.Sip;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Load;

/// <summary>A recording session that offers ICE and sends no audio: its socket sends checks and answers those of the recorder.</summary>
internal sealed class CheckedSession : IDisposable
{
    private const string Fragment = "load";
    private const int MaxDatagram = 2048;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(16);

    private readonly ClientTransactions _transactions;
    private readonly ClientDialog _dialog;
    private readonly RecorderRequests _requests;
    private readonly Socket _socket;
    private readonly string _sdp;
    private readonly LoadStream _stream;
    private readonly string _password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private readonly ulong _tieBreaker = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly byte[] _buffer = new byte[MaxDatagram];
    private readonly Dictionary<UInt128, long> _sent = [];
    private string _username = "";
    private string _peerPassword = "";
    private IPEndPoint? _peer;

    public CheckedSession(ClientTransactions transactions, IPEndPoint server, int number)
    {
        _transactions = transactions;
        var local = transactions.Channel.Local;
        _socket = new(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        _socket.Bind(new IPEndPoint(local.Address, 0));
        KernelArrival.SwitchOn(_socket);
        var port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        CallId = $"checks-{ClientDialog.Token(12)}";
        var identity = new ClientDialogIdentity(CallId, $"sip:load@{local}", local.ToString(), $"<sip:load@{local}>;+sip.src");
        _dialog = new(identity, transactions.Channel, server);
        _stream = new(number, "1", port, 0, new Random(number));
        _sdp = OfferText.Build(
            _stream.Ssrc, 1, local.Address, [_stream], "sendonly", rtcpMux: true,
            [$"ice-ufrag:{Fragment}", $"ice-pwd:{_password}", $"candidate:1 1 UDP 2130706431 {local.Address} {port} typ host"]);
        _requests = new(_dialog, identity.Contact, new(TextWriter.Null), () => _sdp, static _ => { });
    }

    public string CallId { get; }

    /// <summary>Checks that were sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Milliseconds from each check to its answer.</summary>
    public List<double> Milliseconds { get; } = [];

    public byte[]? Answer(SipText request, IPEndPoint from) => _requests.Answer(request, from);

    /// <summary>INVITE, 200 and ACK. What was wrong with them; null where nothing was.</summary>
    public async Task<string?> SetUpAsync(CancellationToken stop)
    {
        var invite = _dialog.Request("INVITE", ["Require: siprec"], MultipartBody.Build(_sdp, MetadataText.Build([_stream], DateTimeOffset.UtcNow)));
        var response = await _transactions.RequestAsync(invite, AnswerLimit, stop);
        if (response is not { Status: 200 }) return $"An INVITE with ICE was answered {(response is null ? "by nobody" : $"{response.Status} {response.Reason} {response.First("Warning")}")}; the recorder needs room for --sessions and --checks together (Sip:MaxSessions).";

        _dialog.Establish(response);
        await _transactions.AcknowledgeAsync(_dialog, invite, stop);
        var sdp = Encoding.UTF8.GetString(response.Body);
        (_username, _peerPassword) = ($"{ValueOf(sdp, "ice-ufrag")}:{Fragment}", ValueOf(sdp, "ice-pwd"));
        _peer = SessionAnswer.Read(sdp).Media.FirstOrDefault()?.Target?.Rtp;
        return _peerPassword.Length == 0 || _peer is null ? "The recorder answered without ICE (Nat:Ice)." : null;
    }

    /// <summary>Sends one check.</summary>
    public void Check()
    {
        var transaction = RandomNumberGenerator.GetBytes(ConnectivityCheck.TransactionIdLength);
        var check = ConnectivityCheck.Build(transaction, _username, _peerPassword, _tieBreaker);
        Sent++;
        _sent[ConnectivityCheck.TransactionOf(check)] = Stopwatch.GetTimestamp();
        TrySend(check, _peer!);
    }

    /// <summary>Takes all that has come.</summary>
    public void Receive()
    {
        while (_socket.Available > 0)
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            if (_peer!.AddressFamily is AddressFamily.InterNetworkV6) from = new IPEndPoint(IPAddress.IPv6Any, 0);
            var length = TryReceive(ref from);
            var at = KernelArrival.OfLast(_socket);
            var datagram = _buffer.AsSpan(0, length);
            if (ConnectivityCheck.IsRequest(datagram)) TrySend(ConnectivityCheck.Answer(datagram, (IPEndPoint)from, _password), (IPEndPoint)from);
            else if (ConnectivityCheck.IsSuccess(datagram) && _sent.Remove(ConnectivityCheck.TransactionOf(datagram), out var sent)) Milliseconds.Add(Stopwatch.GetElapsedTime(sent, at).TotalMilliseconds);
        }
    }

    public Task HangUpAsync(CancellationToken stop) => _transactions.RequestAsync(_dialog.Request("BYE", [], SipBody.None), AnswerLimit, stop);

    public void Dispose() => _socket.Dispose();

    private static string ValueOf(string sdp, string attribute) =>
        sdp.Split('\n', StringSplitOptions.TrimEntries).FirstOrDefault(line => line.StartsWith($"a={attribute}:", StringComparison.Ordinal))?[(attribute.Length + 3)..] ?? "";

    private int TryReceive(ref EndPoint from)
    {
        try
        {
            return _socket.ReceiveFrom(_buffer, ref from);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private void TrySend(byte[] message, IPEndPoint to)
    {
        try
        {
            _socket.SendTo(message, to);
        }
        catch (SocketException)
        {
            // It counts as sent and is not answered.
        }
    }
}
