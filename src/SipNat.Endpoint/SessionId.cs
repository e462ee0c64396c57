namespace SipNat.Endpoint;

/// <summary>
/// Names one session, a recording or a call, for good: in files, in the catalogue and in the API. Letters and digits only, drawn at
/// random by us and never taken from the wire, so that it is safe as part of a path.
/// </summary>
public readonly record struct SessionId(string Value)
{
    private const int Length = 20;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>100 random bits in Crockford's base 32, which has no letters that read like digits.</summary>
    public static SessionId Draw(Random random) =>
        new(string.Create(Length, random, static (text, random) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = Alphabet[random.Next(Alphabet.Length)];
        }));

    public override string ToString() => Value;
}
