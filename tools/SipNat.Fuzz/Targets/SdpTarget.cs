using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A session description as an offer to us, and as the answer to an offer of ours.</summary>
internal sealed class SdpTarget : IFuzzTarget
{
    private static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:10000");

    public string Name => "sdp";

    public string Promise => "what is read is written so that it reads back equal; our answer keeps RFC 3264 and its version; nothing that a peer answers makes us fail";

    public int MaxLength => SdpReader.MaxLength + 1024;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "v=0\r\n", "o=- 1 1 IN IP4 192.0.2.2\r\n", "s=-\r\n", "t=0 0\r\n", "c=IN IP4 0.0.0.0\r\n", "c=IN IP6 2001:db8::1\r\n", "c=IN IP4 224.2.1.1/127/3\r\n", "c=IN IP4 host.example\r\n", "b=AS:64\r\n",
        "m=audio 4000 RTP/AVP 0 8 13 101\r\n", "m=audio 0 RTP/AVP 0\r\n", "m=audio 65535 RTP/SAVP 0\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "m=video 4002 RTP/AVP 96\r\n", "m=audio 4000/2 RTP/AVPF 0\r\n", "m=audio 1 RTP/AVP\r\n",
        "a=rtpmap:0 PCMU/8000\r\n", "a=rtpmap:96 PCMA/8000/1\r\n", "a=rtpmap:101 telephone-event/8000\r\n", "a=rtpmap:0 G729/8000\r\n", "a=fmtp:101 0-15\r\n", "a=fmtp:101 0-99999999999999999999999999999999999999999999999999999999999999999\r\n",
        "a=label:1\r\n", "a=label:\r\n", "a=label\r\n", "a=ptime:20\r\n", "a=ptime:-0.5\r\n", "a=rtcp:4001\r\n", "a=rtcp:0\r\n", "a=rtcp:53020 IN IP4 192.0.2.3\r\n", "a=rtcp-mux\r\n", "a=crypto:1 AES\r\n", "a=fingerprint:sha-256 00\r\n",
        "a=sendonly\r\n", "a=recvonly\r\n", "a=inactive\r\n", "a=sendrecv\r\n", "\u00a0", "\u0085", "\u2028", ":", "=", "/", "--boundary\r\n");

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var (type, disposition, body) in corpus.SiprecBodies())
        {
            var parts = Endpoint.Siprec.MultipartReader.Read(Encoding.UTF8.GetBytes(type), Encoding.UTF8.GetBytes(disposition), body);
            if (parts.Sdp is { } sdp) yield return sdp.ToArray();
        }

        yield return "m=audio 4000 RTP/AVP 0"u8.ToArray();
    }

    // A medium of twenty octets is read, answered and offered some six times over.
    public long AllowedBytes(int inputLength) => (128 * 1024) + (1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!SdpReader.TryRead(input, out var session, out var defect))
        {
            Invariant.Holds(defect is not SdpDefect.None, "What cannot be read has a defect.");
            return (int)defect;
        }

        Invariant.Holds(defect is SdpDefect.None && session.Media.Count <= SdpReader.MaxMedia, "What is read has no defect and few media.");
        var text = SdpWriter.WriteText(session);
        CheckRoundTrip(text, "A description is read as it is written.");
        var accepted = CheckAnswer(session);
        CheckAnswerToOurs(session);
        return HashCode.Combine(session.Media.Count, accepted, session.Connection is null, session.Origin is null, session.Attributes.Count);
    }

    // What was read may be longer than what is read: bytes that are no UTF-8 take three in their place.
    private static void CheckRoundTrip(string text, string rule)
    {
        var isRead = SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out var again, out var defect);
        if (defect is SdpDefect.LineTooLong or SdpDefect.TooLong) return;

        Invariant.Holds(isRead, rule, $"{defect}: {text}");
        var second = SdpWriter.WriteText(again!);
        Invariant.Holds(second == text, rule, $"\n{text}\n{second}");
    }

    private static int CheckAnswer(SdpSession offer)
    {
        var ours = new OfferAnswer(1, SdpCapabilities.Recorder);
        var review = ours.Review(offer);
        Invariant.Holds(review.Media.Count == offer.Media.Count, "Each medium has its verdict.");
        foreach (var media in review.Accepted) _ = media.FormatOf(0);

        IReadOnlyList<LocalMedia> sockets = [.. review.Accepted.Select(m => SocketsOf(m.Index))];
        var answer = ours.Answer(review, sockets);
        Invariant.Holds(AnswerRules.Find(offer, answer) is AnswerViolation.None, "Our answer keeps RFC 3264.");
        CheckRoundTrip(SdpWriter.WriteText(answer), "Our answer is read as it is written.");
        Invariant.Holds(ReferenceEquals(ours.Answer(ours.Review(offer), sockets), answer), "The same answer keeps its version.");
        _ = ours.Answer(ours.Review(offer, SdpDirection.Inactive), []);

        var again = ours.Offer(sockets);
        CheckRoundTrip(SdpWriter.WriteText(again), "Our offer is read as it is written.");
        _ = ours.ReviewAnswer(again, offer);
        return review.Accepted.Count();
    }

    private static void CheckAnswerToOurs(SdpSession answer)
    {
        var ours = new OfferAnswer(1, SdpCapabilities.Recorder);
        var offer = ours.Offer([SocketsOf(0), SocketsOf(1)]);
        var review = ours.ReviewAnswer(offer, answer);
        Invariant.Holds(review.Media.Count == 2, "Each medium of our offer has its verdict.");
        foreach (var media in review.Accepted) Invariant.Holds(media.PayloadMap.Count > 0, "An accepted medium has a format.");
    }

    private static LocalMedia SocketsOf(int index) => new(index, Local.WithPort(10000 + (2 * index)), Local.WithPort(10001 + (2 * index)));
}
