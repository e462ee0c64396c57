using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunBindingResponderTests
{
    private const string Id = "0102030405060708090A0B0C";
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.1:32853");

    private readonly StunBindingResponder _responder = new();

    // Written by hand from RFC 8489: the port 0x8055 is a147 and the address c0000201 is e112a643 when they are XORed.
    [Theory]
    [InlineData("192.0.2.1:32853", "0101000C2112A442" + Id + "002000080001A147E112A643")]
    [InlineData("[2001:db8::1]:32853", "010100182112A442" + Id + "002000140002A1470113A9FA0102030405060708090A0B0D")]
    public void A_request_is_answered_with_the_address_that_it_came_from_and_nothing_else(string from, string expected) =>
        Assert.Equal(expected, Answer("00010000", "", TransportAddress.Parse(from)));

    [Fact]
    public void A_fingerprint_is_given_for_a_fingerprint()
    {
        var request = new byte[64];
        var writer = new StunWriter(request, StunClass.Request, StunMethod.Binding, StunTransactionId.Read(Convert.FromHexString(Id)));
        writer.AddFingerprint();

        var answer = Answer(writer.Written)!;

        Assert.True(StunMessage.TryRead(Convert.FromHexString(answer), out var message, out _));
        Assert.True(message.TryGet(StunAttributeType.Fingerprint, out _) && StunFingerprint.IsValid(message));
        Assert.False(message.TryGet(StunAttributeType.Software, out _));

        request[^(request.Length - writer.Length + 1)] ^= 1;
        Assert.Null(Answer(writer.Written));
        Assert.Equal((1L, 1L), (_responder.Answered, _responder.Withheld));
    }

    // 420 "Unknown Attribute" is 4.20 and its phrase of 17 bytes, padded; UNKNOWN-ATTRIBUTES lists what was found.
    [Theory]
    [InlineData("0003000400000006", "0003")] // CHANGE-REQUEST: an answer from or to elsewhere is not to be had
    [InlineData("002700040BB80000", "0027")] // RESPONSE-PORT
    [InlineData("7FFF0000", "7FFF")]
    [InlineData("80220000", null)] // SOFTWARE may be passed over
    [InlineData("0006000161000000", null)] // USERNAME asks for nothing
    public void What_has_to_be_understood_and_is_not_is_refused(string attributes, string? refused)
    {
        var answer = Answer($"0001{attributes.Length / 2:X4}", attributes, Peer)!;

        Assert.Equal(refused is null ? "0101" : "0111", answer[..4]);
        if (refused is not null) Assert.EndsWith($"000A0002{refused}0000", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_gets_fifty_answers_a_second_whatever_its_ports()
    {
        var request = Convert.FromHexString("000100002112A442" + Id);
        var answered = Enumerable.Range(1, 80).Count(i => Answer(request, Peer.WithPort(i)) is not null);
        Assert.Equal((50, 30L), (answered, _responder.Withheld));
        Assert.NotNull(Answer(request, TransportAddress.Parse("192.0.2.2:1")));

        Assert.NotNull(Answer(request, Peer, seconds: 1));
    }

    [Fact]
    public void Sources_without_number_share_one_budget()
    {
        var request = Convert.FromHexString("000100002112A442" + Id);

        var answered = Enumerable.Range(0, 5000).Count(i => Answer(request, new([10, 0, (byte)(i >> 8), (byte)i], 1)) is not null);

        Assert.Equal(StunBindingResponder.MaxSources + StunBindingResponder.PerSecond, answered);
    }

    private string? Answer(string head, string attributes, TransportAddress from) => Answer(Convert.FromHexString($"{head}2112A442{Id}{attributes}"), from);

    private string? Answer(ReadOnlySpan<byte> bytes, TransportAddress? from = null, double seconds = 0)
    {
        Assert.True(StunMessage.TryRead(bytes, out var request, out _));
        Assert.True(StunBindingResponder.IsRequest(request));
        var response = new byte[StunBindingResponder.MaxResponseLength];
        var now = new Instant(1) + TimeSpan.FromSeconds(seconds);
        return _responder.TryAnswer(now, from ?? Peer, request, response, out var length) ? Convert.ToHexString(response.AsSpan(0, length)) : null;
    }
}
