using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Tests.Sip.Transactions;

namespace SipNat.Tests.Sip.Conformance;

/// <summary>The messages of RFC 4475 §3 and RFC 5118 §4, one file each, sent to the transaction layer over UDP.</summary>
public class TortureTests
{
    // Valid (§3.1.1)
    [InlineData("wsinv", "Request INVITE")]
    [InlineData("intmeth", "Request !interesting-Method0123456789_*+`.%indeed'~")]
    [InlineData("esc01", "Request INVITE")]
    [InlineData("escnull", "Request REGISTER")]
    [InlineData("esc02", "Request RE%47IST%45R")]
    [InlineData("lwsdisp", "Request OPTIONS")]
    [InlineData("longreq", "Request INVITE")]
    [InlineData("dblreq", "Request REGISTER")]
    [InlineData("semiuri", "Request OPTIONS")]
    [InlineData("transports", "Request OPTIONS")]
    [InlineData("mpart01", "Request MESSAGE")]
    [InlineData("unreason", "stray")]
    [InlineData("noreason", "stray")]
    // Invalid (§3.1.2)
    [InlineData("badinv01", "Request INVITE")] // empty parameters say nothing, and are skipped
    [InlineData("clerr", "400 Content-Length exceeds the message")]
    [InlineData("ncl", "400 Bad Content-Length")]
    [InlineData("scalar02", "400 Bad CSeq")]
    [InlineData("scalarlg", "BadCSeq")]
    [InlineData("quotbal", "400 Bad To")]
    [InlineData("ltgtruri", "400 Bad Request-URI")]
    [InlineData("lwsruri", "400 Bad Request-URI")]
    [InlineData("lwsstart", "Request INVITE")] // its parts are plain
    [InlineData("trws", "Request OPTIONS")]
    [InlineData("escruri", "Request INVITE")] // the header part of the Request-URI is not read
    [InlineData("baddate", "Request INVITE")]
    [InlineData("regbadct", "Request REGISTER")] // the registrar's affair
    [InlineData("badaspec", "Request OPTIONS")]
    [InlineData("baddn", "Request OPTIONS")] // From and To are no lists, so the comma is the name's
    [InlineData("badvers", "505 Version Not Supported")]
    [InlineData("mismatch01", "400 CSeq names another method")]
    [InlineData("mismatch02", "400 CSeq names another method")]
    [InlineData("bigcode", "BadStatusCode")]
    // Transaction and application layer (§3.2, §3.3), RFC 2543 (§3.4)
    [InlineData("badbranch", "Request OPTIONS")]
    [InlineData("insuf", "MissingFrom")]
    [InlineData("unkscm", "416 Unsupported URI Scheme")]
    [InlineData("novelsc", "416 Unsupported URI Scheme")]
    [InlineData("unksm2", "Request REGISTER")]
    [InlineData("bext01", "Request OPTIONS")]
    [InlineData("invut", "Request INVITE")]
    [InlineData("regaut01", "Request REGISTER")]
    [InlineData("multi01", "400 Header field must not repeat")]
    [InlineData("mcl01", "400 Header field must not repeat")]
    [InlineData("bcast", "stray")]
    [InlineData("zeromf", "Request OPTIONS")]
    [InlineData("cparam01", "Request REGISTER")]
    [InlineData("cparam02", "Request REGISTER")]
    [InlineData("regescrt", "Request REGISTER")]
    [InlineData("sdp01", "Request INVITE")]
    [InlineData("inv2543", "Request INVITE")]
    // IPv6 (RFC 5118 §4)
    [InlineData("ipv6-good", "Request REGISTER")]
    [InlineData("ipv6-bad", "400 Bad Request-URI")]
    [InlineData("port-ambiguous", "Request REGISTER")] // 5070 is part of the address
    [InlineData("port-unambiguous", "Request REGISTER")]
    [InlineData("via-received-param-with-delim", "Request BYE")]
    [InlineData("via-received-param-no-delim", "Request OPTIONS")]
    [InlineData("ipv6-in-sdp", "Request INVITE")]
    [InlineData("mult-ip-in-header", "Request BYE")]
    [InlineData("mult-ip-in-sdp", "Request INVITE")]
    [InlineData("ipv4-mapped-ipv6", "Request INVITE")]
    [InlineData("ipv6-bug-abnf-3-colons", "Request OPTIONS")] // one colon too many, which RFC 3261 itself has
    [InlineData("ipv6-correct-abnf-2-colons", "Request OPTIONS")]
    [Theory]
    public void Each_case_has_its_outcome(string name, string expected)
    {
        var bytes = Wired.Corpus.Single(c => c.Name == name).Bytes;
        var harness = new TransactionHarness();
        harness.Receive(bytes);

        var answer = harness.Sent.Select(s => Wired.Text(s.Bytes).Split('\n')[0]["SIP/2.0 ".Length..]).SingleOrDefault();
        var outcome = answer ?? harness.Events.SingleOrDefault() switch
        {
            TransactionEvent.Request request => $"Request {Wired.Text(request.Message.View.MethodText)}",
            TransactionEvent.Malformed malformed => malformed.Defect.ToString(),
            _ => harness.Layer.Counters.StrayResponses == 1 ? "stray" : "nothing",
        };
        Assert.Equal(expected, outcome);
    }

    [Fact]
    public void Every_file_has_its_row()
    {
        var rows = typeof(TortureTests).GetMethod(nameof(Each_case_has_its_outcome))!
            .GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Select(row => (string)((InlineDataAttribute)row).Data[0]!);

        Assert.Equal(Wired.Corpus.Select(c => c.Name), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_truncation_is_refused_or_read_and_never_throws()
    {
        foreach (var (_, bytes) in Wired.Corpus)
        {
            var headerLength = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
            var index = new SipHeaderIndex();
            for (var length = 0; length < bytes.Length; length++)
            {
                var read = SipMessage.TryRead(bytes.AsSpan(0, length), index, out var part, out var defect);
                if (read) Exercise(part);
                if (length < headerLength) Assert.NotEqual(SipDefect.None, defect);
            }
        }
    }

    [Fact]
    public void Mutated_messages_never_throw()
    {
        var random = new Random(4475);
        var harness = new TransactionHarness();
        foreach (var (_, original) in Wired.Corpus)
        {
            for (var round = 0; round < 150; round++)
            {
                var bytes = (byte[])original.Clone();
                for (var i = random.Next(1, 8); i > 0; i--) bytes[random.Next(bytes.Length)] = Mutation(random);

                harness.Receive(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length));
                foreach (var e in harness.Events)
                {
                    if (e is not TransactionEvent.Request request) continue;

                    Exercise(request.Message.View);
                    var bye = Dialog.AsServer(request.Message, "t", "<sip:srs@192.0.2.1>").CreateRequest(SipMethod.Bye);
                    harness.Layer.Request(harness.Now, TransactionHarness.Udp, TransactionHarness.Peer, bye);
                    harness.Layer.Respond(harness.Now, request.Transaction, new(200));
                }

                harness.Forget();
            }
        }
    }

    // Half of the octets are those that the grammar cares for.
    private static byte Mutation(Random random)
    {
        var special = "\r\n \t:;,<>\"\\@/?=[]%*\0"u8;
        return random.Next(2) == 0 ? special[random.Next(special.Length)] : (byte)random.Next(256);
    }

    private static void Exercise(SipMessage message)
    {
        foreach (var line in message.Lines)
        {
            foreach (var value in message.Values(line.Header))
            {
                if (Via.TryRead(value, out var via)) _ = via.TryGetSentBy(5060, out _) && via.TryGetReflexive(out _) && via.HasRPort;
                if (NameAddress.TryRead(value, out var address)) _ = address.HasFeature("src"u8) && address.DisplayText.Length > 0;
                if (SipUri.TryRead(value, out var uri)) uri.TryGetAddress(out _);
            }
        }

        var stored = new StoredSipMessage(message);
        Assert.Equal(message.Body.Length, stored.Body.Length);
        stored.Uri(SipHeader.Contact);
        stored.Headers(SipHeader.Via);
    }
}
