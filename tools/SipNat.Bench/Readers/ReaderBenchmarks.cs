using System.Buffers.Binary;
using System.Text;
using BenchmarkDotNet.Attributes;
using SipNat.Bench.Audio;
using SipNat.Bench.Rtp;
using SipNat.Bench.Siprec;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Stun;

namespace SipNat.Bench.Readers;

/// <summary>What it costs to read each thing that comes from the network, once, with what a recording client sends.</summary>
[MemoryDiagnoser]
public class ReaderBenchmarks
{
    private readonly SipHeaderIndex _index = new();
    private byte[] _invite = [];
    private byte[] _contentType = [];
    private byte[] _body = [];
    private byte[] _sdp = [];
    private byte[] _metadata = [];
    private byte[] _rtp = [];
    private byte[] _rtcp = [];
    private byte[] _stun = [];

    [GlobalSetup]
    public void Prepare()
    {
        IReadOnlyList<IOfferedStream> streams = [new Stream("1", 40_000), new Stream("2", 40_002)];
        var sdp = OfferText.Build(1, 1, System.Net.IPAddress.Parse("198.51.100.7"), streams, "sendonly");
        var metadata = MetadataText.Build(streams, DateTimeOffset.UnixEpoch);
        var body = MultipartBody.Build(sdp, metadata);
        (_sdp, _metadata, _body, _contentType) = (Encoding.UTF8.GetBytes(sdp), Encoding.UTF8.GetBytes(metadata), body.Bytes, Encoding.ASCII.GetBytes(body.Type!));
        _invite =
        [
            .. Encoding.ASCII.GetBytes(
                "INVITE sip:recorder@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\n" +
                "From: <sip:sbc@198.51.100.7>;tag=1928301774\r\nTo: <sip:recorder@192.0.2.1>\r\nCall-ID: a84b4c76e66710\r\nCSeq: 1 INVITE\r\n" +
                "Contact: <sip:sbc@198.51.100.7:5060>;+sip.src\r\nRequire: siprec\r\nSupported: timer, replaces\r\n" +
                $"Content-Type: {body.Type}\r\nContent-Length: {body.Bytes.Length}\r\n\r\n"),
            .. body.Bytes,
        ];
        _rtp = new byte[RtpFrames.HeaderLength + 160];
        RtpFrames.WriteHeader(_rtp, 0, false, 1, 160, 0x1234);
        _rtcp = RtpFrames.WriteSenderReport(DateTimeOffset.UnixEpoch, 160, 0x1234, 1, 160, "a@b");
        _stun = BindingResponse();
    }

    [Benchmark]
    public int SipInvite() => SipMessage.TryRead(_invite, _index, out var message, out _) ? message.CallId.Length + message.Body.Length : 0;

    [Benchmark]
    public object SipInviteStored() => SipMessage.TryRead(_invite, _index, out var message, out _) ? new StoredSipMessage(message) : throw new InvalidDataException();

    [Benchmark]
    public object Multipart() => MultipartReader.Read(_contentType, [], _body);

    [Benchmark]
    public object Sdp() => SdpReader.TryRead(_sdp, out var session, out _) ? session : throw new InvalidDataException();

    [Benchmark]
    public object Metadata() => RecordingMetadataReader.TryRead(_metadata, out var document, out _) ? document : throw new InvalidDataException();

    [Benchmark]
    public int Rtp() => RtpPacket.TryRead(_rtp, out var packet, out _) ? packet.Payload.Length : 0;

    [Benchmark]
    public int Rtcp()
    {
        if (!RtcpCompound.TryRead(_rtcp, out var compound, out _)) return 0;

        var packets = 0;
        foreach (var packet in compound) packets += packet.SenderSsrc == 0 ? 0 : 1;
        return packets;
    }

    [Benchmark]
    public int Stun() => StunMessage.TryRead(_stun, out var message, out _) && message.TryGetAddress(StunAttributeType.XorMappedAddress, out var mapped) ? mapped.Port : 0;

    // RFC 8489 §5, §14.2: a success response with XOR-MAPPED-ADDRESS.
    private static byte[] BindingResponse()
    {
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, 0x0101);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), 12);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), 0x2112A442);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(20), 0x0020);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(22), 8);
        bytes[25] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(26), 0xA147);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(28), 0xE112A643);
        return bytes;
    }

    private sealed record Stream(string Label, int Port) : IOfferedStream
    {
        public G711Variant Codec => G711Variant.Pcmu;
    }
}
