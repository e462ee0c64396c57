using System.Text;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Sdp;

public sealed class CryptoSelectionTests
{
    // Suites of three and four bytes of key and salt: no more is known of them here.
    private const string Three = "inline:QUJD";
    private const string Four = "inline:QUJDRA==";

    private static readonly SdpCapabilities Supported = SdpCapabilities.G711 with
    {
        Srtp = SrtpMode.Offered,
        CryptoSuites = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["THREE"] = 3, ["FOUR"] = 4 },
    };

    [Theory]
    [InlineData($"a=crypto:1 FOUR {Four}|a=crypto:2 THREE {Three}", "1 FOUR")] // the peer's order
    [InlineData($"a=crypto:2 THREE {Three}|a=crypto:1 FOUR {Four}", "2 THREE")]
    [InlineData($"a=crypto:1 FIVE {Four}|a=crypto:2 THREE {Three}", "2 THREE")] // unknown suite
    [InlineData($"a=crypto:1 FOUR {Three}|a=crypto:2 three {Three}", "2 three")] // a key of another length; the suite as it was written
    [InlineData($"a=crypto:1 FOUR {Four} UNENCRYPTED_SRTP|a=crypto:2 FOUR {Four}", "2 FOUR")]
    [InlineData($"a=crypto:1 FOUR {Four} KDR=5|a=crypto:2 FOUR {Four} WSH=128", "2 FOUR")]
    [InlineData($"a=crypto:x FOUR {Four}|a=crypto:2 FOUR {Four}|2^20|1:4", "2 FOUR")]
    public void The_first_line_that_can_be_taken_is(string lines, string chosen) // RFC 4568 §5.1.2
    {
        Assert.Equal(chosen, $"{Review(SrtpMode.Offered, "RTP/SAVP", lines).Accepted.Single().Crypto}");
        Assert.Equal(chosen, $"{Review(SrtpMode.Required, "RTP/SAVPF", lines).Accepted.Single().Crypto}");
    }

    [Theory]
    [InlineData(SrtpMode.Off, "RTP/SAVP", $"a=crypto:1 FOUR {Four}", MediaRejection.SecureTransport)]
    [InlineData(SrtpMode.Offered, "RTP/SAVP", "", MediaRejection.NoKey)]
    [InlineData(SrtpMode.Offered, "RTP/SAVP", "a=fingerprint:sha-256 AA", MediaRejection.DtlsTransport)]
    [InlineData(SrtpMode.Offered, "UDP/TLS/RTP/SAVP", "a=fingerprint:sha-256 AA", MediaRejection.DtlsTransport)]
    [InlineData(SrtpMode.Off, "UDP/TLS/RTP/SAVPF", "", MediaRejection.DtlsTransport)]
    [InlineData(SrtpMode.Offered, "TCP/RTP/SAVP", $"a=crypto:1 FOUR {Four}", MediaRejection.UnsupportedTransport)]
    [InlineData(SrtpMode.Offered, "RTP/SAVP", $"a=crypto:1 FIVE {Four}", MediaRejection.NoCommonCrypto)]
    [InlineData(SrtpMode.Offered, "RTP/SAVP", "a=crypto:1 FOUR", MediaRejection.NoCommonCrypto)]
    [InlineData(SrtpMode.Required, "RTP/AVP", "", MediaRejection.PlainTransport)]
    [InlineData(SrtpMode.Required, "RTP/AVP", $"a=crypto:1 FIVE {Four}", MediaRejection.PlainTransport)]
    public void What_cannot_be_taken_is_refused_for_its_reason(SrtpMode mode, string protocol, string lines, MediaRejection reason) =>
        Assert.Equal(reason, Review(mode, protocol, lines).Rejected.Single().Reason);

    [Theory]
    [InlineData(SrtpMode.Off, null)]
    [InlineData(SrtpMode.Offered, null)]
    [InlineData(SrtpMode.BestEffort, "1 FOUR")]
    [InlineData(SrtpMode.Required, "1 FOUR")]
    public void A_key_beside_rtp_avp_is_taken_up_only_where_that_was_asked_for(SrtpMode mode, string? chosen) =>
        Assert.Equal(chosen, Review(mode, "RTP/AVP", $"a=crypto:1 FOUR {Four}").Accepted.Single().Crypto?.ToString());

    [Fact]
    public void An_answer_has_the_profile_the_tag_the_suite_and_our_key()
    {
        OfferAnswer dialog = new(42, Supported);
        var review = dialog.Review(Offer("RTP/SAVPF", $"a=crypto:7 FOUR {Four}"));

        var answer = dialog.Answer(review, [Local(SdpCrypto.Write("7", "FOUR", "WFlaWg=="))]);
        var again = dialog.Offer([Local(SdpCrypto.Write("7", "FOUR", "WFlaWg=="))]);

        Assert.Equal(("RTP/SAVPF", "7 FOUR inline:WFlaWg=="), (answer.Media[0].Protocol, answer.Media[0].Attributes.ValueOf("crypto")));
        Assert.Equal(("RTP/SAVPF", 1), (again.Media[0].Protocol, again.Media[0].Attributes.Count(a => a.Name == "crypto")));
    }

    [Fact]
    public void An_answer_without_a_key_of_ours_is_our_own_fault()
    {
        OfferAnswer dialog = new(42, Supported);
        var review = dialog.Review(Offer("RTP/SAVP", $"a=crypto:7 FOUR {Four}"));

        Assert.Throws<InvalidOperationException>(() => dialog.Answer(review, [Local()]));
    }

    [Theory]
    [InlineData($"a=crypto:1 FOUR {Four}", null)]
    [InlineData($"a=crypto:1 four {Four}", null)]
    [InlineData($"a=crypto:2 FOUR {Four}", MediaRejection.KeyNotAnswered)]
    [InlineData($"a=crypto:1 THREE {Three}", MediaRejection.KeyNotAnswered)]
    [InlineData("", MediaRejection.NoKey)]
    public void An_answer_to_our_offer_takes_up_its_tag_and_suite(string lines, MediaRejection? reason) // RFC 4568 §5.1.3
    {
        OfferAnswer dialog = new(42, Supported);
        var offer = dialog.Offer([Local(SdpCrypto.Write("1", "FOUR", "WFlaWg=="))]);

        var review = dialog.ReviewAnswer(offer, Offer("RTP/SAVP", lines));

        Assert.Equal("RTP/SAVP", offer.Media[0].Protocol);
        Assert.Equal(reason, review.Rejected.SingleOrDefault()?.Reason);
    }

    private static OfferReview Review(SrtpMode mode, string protocol, string lines) =>
        new OfferAnswer(42, Supported with { Srtp = mode }).Review(Offer(protocol, lines));

    // A bar stands between lines, but where it belongs to a key.
    private static SdpSession Offer(string protocol, string lines)
    {
        var text = $"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 4000 {protocol} 0\r\n{lines.Replace("|a=", "\r\na=", StringComparison.Ordinal)}\r\n";
        Assert.True(SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out var session, out _));
        return session;
    }

    private static LocalMedia Local(params SdpAttribute[] attributes) =>
        new(0, TransportAddress.Parse("203.0.113.5:10000"), TransportAddress.Parse("203.0.113.5:10001")) { Attributes = attributes };
}
