using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;

namespace SipNat.Fuzz.Targets;

/// <summary>A server that challenges again and again: each line of an input is a header value, or an answer.</summary>
internal sealed class DigestTarget : IFuzzTarget
{
    private const string Password = "zanzibar-7";
    private const int MaxLines = 32;

    public string Name => "digest";

    public string Promise => "one field for each realm, in one line, that reads back with the realm and the nonce of its challenge; the password never leaves";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "Digest ", "realm=\"", "nonce=\"", "\"", "\\", ",", "=", " ", "\n", "opaque=\"x\"", "stale=true", "userhash=true", "qop=\"auth\"", "qop=auth-int",
        "algorithm=MD5-sess", "algorithm=SHA-256", "algorithm=SHA-512-256", "ok nextnonce=\"n\"");

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Mutator.Words(
        "Digest realm=\"a\", nonce=\"n\"",
        "Digest realm=\"a\", nonce=\"n\", qop=\"auth,auth-int\", opaque=\"\", algorithm=SHA-256\nDigest realm=\"b\", nonce=\"m\"",
        "Digest realm=\"a\", nonce=\"1\"\nok nextnonce=\"2\"\nDigest realm=\"a\", nonce=\"3\", stale=true, userhash=true, Basic realm=\"b\"");

    // A line is written into a message, read, and answered with a few hashes and strings of its length.
    public long AllowedBytes(int inputLength) => (256 * 1024) + (1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var session = new DigestSession(new("bob", Password), allowsMd5: true, new Random(input.Length));
        IReadOnlyList<SipHeaderField> sent = [];
        var (outcome, lines) = (0, 0);
        foreach (var range in input.Split((byte)'\n'))
        {
            if (++lines > MaxLines) break;

            var line = input[range];
            var request = Request(sent);
            var defect = DigestDefect.None;
            if (line.StartsWith("ok "u8)) session.HandleResponse(request, Response("200 OK"u8, "Authentication-Info: "u8, line[3..]).View);
            else defect = session.HandleChallenge(request, Response("401 No"u8, "WWW-Authenticate: "u8, line).View);

            sent = session.Authorize(SipMethod.Register, "sip:example");
            Check(sent);
            outcome = HashCode.Combine(outcome, defect, sent.Count);
        }

        return outcome;
    }

    private static void Check(IReadOnlyList<SipHeaderField> fields)
    {
        Invariant.Holds(fields.Count <= DigestSession.MaxRealms, "Realms are capped.");
        var realms = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            Invariant.Holds(!field.Value.Contains(Password, StringComparison.Ordinal), "The password never leaves.");
            // What we write has the form of a challenge, so that it reads back as one.
            var read = DigestChallenge.Read(Encoding.UTF8.GetBytes(field.Value), isProxy: false);
            Invariant.Holds(read.Count == 1, "A field reads back.", field.Value);
            Invariant.Holds(realms.Add(read[0].Realm), "Each realm has one field.", field.Value);
        }
    }

    private static SipRequest Request(IReadOnlyList<SipHeaderField> sent) => new()
    {
        Method = SipMethod.Register,
        Uri = "sip:example",
        From = "<sip:bob@example>;tag=1",
        To = "<sip:bob@example>",
        CallId = "1",
        CSeq = 1,
        Headers = sent,
    };

    private static StoredSipMessage Response(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        byte[] bytes =
        [
            .. "SIP/2.0 "u8, .. status,
            .. "\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"u8,
            .. name, .. value.ToArray().Select(static octet => octet is (byte)'\r' or (byte)'\n' or 0 ? (byte)' ' : octet), .. "\r\n\r\n"u8,
        ];
        Invariant.Holds(StoredSipMessage.TryRead(bytes, out var message), "The response is one.");
        return message!;
    }
}
