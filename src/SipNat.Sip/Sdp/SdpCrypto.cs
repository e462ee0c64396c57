namespace SipNat.Sip.Sdp;

/// <summary>An <c>a=crypto</c> line (RFC 4568 §4): what protects the packets that its sender sends.</summary>
/// <param name="Tag">One to nine digits, as written: an answer repeats them.</param>
/// <param name="Suite">The crypto suite, as written.</param>
/// <param name="Keys">At least one. Several are told apart by their identifiers.</param>
/// <param name="SessionParameters">As written; see <see cref="IsAcceptable"/>.</param>
public sealed record SdpCrypto(string Tag, string Suite, IReadOnlyList<SdpCryptoKey> Keys, IReadOnlyList<string> SessionParameters)
{
    /// <summary>The name of the attribute.</summary>
    public const string AttributeName = "crypto";

    /// <summary>
    /// Whether no session parameter asks for more than packets that are encrypted and authenticated under keys that are
    /// derived once. Names that begin with a hyphen may be passed over (RFC 4568 §6.3.7), and so may the hint of the
    /// replay window's size; what is not encrypted, or not authenticated, or has forward error correction is not taken.
    /// </summary>
    public bool IsAcceptable => SessionParameters.All(p =>
        p.StartsWith('-') || p.StartsWith("WSH=", StringComparison.OrdinalIgnoreCase) || p.Equals("KDR=0", StringComparison.OrdinalIgnoreCase));

    /// <summary>The line of an answer of ours, or of an offer.</summary>
    /// <param name="tag">That of the line which is answered.</param>
    /// <param name="suite">That of the line which is answered, as it was written.</param>
    /// <param name="keyAndSalt">Our own, in base64.</param>
    public static SdpAttribute Write(string tag, string suite, string keyAndSalt) => new(AttributeName, $"{tag} {suite} inline:{keyAndSalt}");

    /// <summary>Tag and suite. Keys are in no text that is meant for people.</summary>
    public override string ToString() => $"{Tag} {Suite}";
}

/// <summary>A key of an <c>a=crypto</c> line (RFC 4568 §6.1).</summary>
/// <param name="KeyAndSalt">Master key and master salt; how long they are is the suite's to say.</param>
/// <param name="Lifetime">Packets that its sender protects with it at most; null where it does not say.</param>
/// <param name="Mki">The identifier that its packets carry; empty where they carry none.</param>
public sealed record SdpCryptoKey(ReadOnlyMemory<byte> KeyAndSalt, ulong? Lifetime, ReadOnlyMemory<byte> Mki)
{
    /// <summary>Keys are in no text that is meant for people.</summary>
    public override string ToString() => "key";
}

/// <summary>Why an <c>a=crypto</c> line cannot be read. A metric tag, hence no text.</summary>
public enum SdpCryptoDefect
{
    None,
    TooLong,

    /// <summary>Not one to nine digits.</summary>
    MalformedTag,

    /// <summary>No suite, or one with characters that no suite has.</summary>
    MalformedSuite,
    NoKey,
    TooManyKeys,

    /// <summary>Another method than inline.</summary>
    UnknownKeyMethod,

    /// <summary>No base64, or nothing in it.</summary>
    MalformedKey,

    /// <summary>Neither a number nor a power of two, none, or more packets than SRTP allows.</summary>
    MalformedLifetime,

    /// <summary>No number in as many bytes as it says, or a length that is not that of the other keys.</summary>
    MalformedMki,
    TooManySessionParameters,
}
