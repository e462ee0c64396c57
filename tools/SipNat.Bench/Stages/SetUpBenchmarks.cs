using System.Net;
using BenchmarkDotNet.Attributes;
using SipNat.Bench.Audio;
using SipNat.Bench.Sip;
using SipNat.Bench.Siprec;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Bench.Stages;

/// <summary>What a recording session without audio costs both cores: INVITE with metadata, 200, ACK, BYE, and all that follows of them.</summary>
[MemoryDiagnoser]
public class SetUpBenchmarks
{
    // What a core remembers of past sessions, it forgets as time goes by.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly IPEndPoint Server = IPEndPoint.Parse("198.51.100.10:5060");
    private static readonly IReadOnlyList<IOfferedStream> Streams = [new Stream("1", 40_000), new Stream("2", 40_002)];
    private static readonly FlowId Sip = new(1);

    private readonly NoChannel _channel = new();
    private readonly string _offer = OfferText.Build(1, 1, IPAddress.Parse("192.0.2.20"), Streams, "sendonly");
    private Instant _now = new(TimeSpan.TicksPerHour);
    private SignallingCore _signalling = null!;
    private MediaPlane _media = null!;
    private int _flow = Sip.Value;
    private int _port;
    private int _number;
    private byte[]? _answer;

    private TransportAddress Peer => TransportAddress.From(_channel.Local);

    [GlobalSetup]
    public void Prepare()
    {
        _signalling = new(new() { AllowedNetworks = [NetworkPrefix.Parse("192.0.2.0/24")] }, new(), new Random(1));
        _media = new(new(), new Random(2));
        _signalling.HandleFlow(_now, Sip, new(FlowChangeKind.Opened, TransportProtocol.Udp, TransportAddress.From(Server), default));
        Exchange();
    }

    /// <summary>One session, and the second after it.</summary>
    [Benchmark]
    public int Session()
    {
        var dialog = new ClientDialog(new($"bench-{++_number}", $"sip:load@{_channel.Local}", $"{_channel.Local}", $"<sip:load@{_channel.Local}>;+sip.src"), _channel, Server);
        var invite = dialog.Request("INVITE", ["Require: siprec", "Supported: replaces"], MultipartBody.Build(_offer, MetadataText.Build(Streams, DateTimeOffset.UnixEpoch)));
        dialog.Establish(Send(invite.Bytes));
        Send(dialog.Acknowledge(invite.CSeq));
        var status = Send(dialog.Request("BYE", [], SipBody.None).Bytes).Status;
        _now += Pause;
        if (_signalling.Deadline <= _now) _signalling.HandleTimeout(_now);
        if (_media.Deadline <= _now) _media.HandleTimeout(_now);
        Exchange();
        return status == 200 ? status : throw new InvalidDataException($"The BYE was answered {status}.");
    }

    private SipText Send(byte[] message)
    {
        _signalling.HandleDatagram(_now, Sip, Peer, message);
        Exchange();
        return SipText.TryRead(_answer, out var answer) && answer is not null ? answer : throw new InvalidDataException("There was no answer.");
    }

    // What the threads of the server pass to each other.
    private void Exchange()
    {
        for (var any = true; any;)
        {
            any = false;
            for (; _signalling.Outbox.TryTake(out var transmit); any = true)
            {
                _answer = transmit.Payload.ToArray();
                _signalling.Outbox.Release(transmit);
            }

            for (; _signalling.TryTakeSnapshot(out _); any = true)
            {
            }

            for (; _signalling.TryTakeNotice(out _); any = true)
            {
            }

            for (; _signalling.TryTakeCommand(out var command); any = true) _media.HandleCommand(_now, command);
            for (; _media.TryTakeEvent(out var happened); any = true) _signalling.HandleMedia(_now, happened);
            for (; _media.TryTakeWrite(out var write); any = true) write.Buffer?.Dispose();
            for (; _media.Outbox.TryTake(out var transmit); any = true) _media.Outbox.Release(transmit);
            for (; _media.TryTakePortRequest(out var request); any = true) Serve(request);
        }
    }

    private void Serve(MediaPortRequest request)
    {
        if (request is not MediaPortRequest.Bind(var local)) return;

        _port = (_port + 2) % 20_000;
        _media.HandlePortBound(_now, new(new(++_flow), local.WithPort(10_000 + _port), new(++_flow), local.WithPort(10_001 + _port)));
    }

    private sealed record Stream(string Label, int Port) : IOfferedStream
    {
        public G711Variant Codec => G711Variant.Pcmu;
    }

    private sealed class NoChannel : ISipChannel
    {
        public IPEndPoint Local { get; } = IPEndPoint.Parse("192.0.2.20:5062");

        public string Transport => "UDP";

        public bool IsReliable => false;

        public ValueTask SendAsync(ReadOnlyMemory<byte> message, IPEndPoint destination, CancellationToken stop) => ValueTask.CompletedTask;

        public long ReceivedAt => 0;

        public ValueTask<(byte[] Message, IPEndPoint From)> ReceiveAsync(CancellationToken stop) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
