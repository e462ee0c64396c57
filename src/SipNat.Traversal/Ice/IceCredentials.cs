namespace SipNat.Traversal.Ice;

/// <summary>The user fragment and the password that checks of one generation are signed with (RFC 8445 §5.3).</summary>
/// <param name="UserFragment"><c>a=ice-ufrag</c>: 4–256 characters.</param>
/// <param name="Password"><c>a=ice-pwd</c>: 22–256 characters.</param>
public sealed record IceCredentials(string UserFragment, string Password)
{
    public const int MinUserFragmentLength = 4;
    public const int MinPasswordLength = 22;
    public const int MaxLength = 256;

    // 48 and 144 bits, where RFC 8445 §5.3 asks for 24 and 128 at least.
    private const int UserFragmentLength = 8;
    private const int PasswordLength = 24;

    /// <summary>Fresh credentials; production passes a cryptographic source.</summary>
    public static IceCredentials Create(Random random) =>
        new(IceText.Create(random, UserFragmentLength), IceText.Create(random, PasswordLength));

    /// <summary>Whether both are as long as RFC 8839 §5.4 wants them, and of its characters.</summary>
    public bool IsValid => IsToken(UserFragment, MinUserFragmentLength) && IsToken(Password, MinPasswordLength);

    /// <summary>The user fragment alone: a password has no place in a log.</summary>
    public override string ToString() => UserFragment;

    private static bool IsToken(string text, int min) =>
        text.Length >= min && text.Length <= MaxLength && !text.AsSpan().ContainsAnyExcept(IceText.Characters);
}
