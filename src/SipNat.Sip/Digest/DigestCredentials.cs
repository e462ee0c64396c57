namespace SipNat.Sip.Digest;

/// <summary>
/// A username and its password. Both are taken as they are: a caller that accepts more than ASCII prepares them first
/// (RFC 7616 §4, OpaqueString of RFC 8265).
/// </summary>
/// <remarks>A class and not a record, so that nothing prints the password.</remarks>
public sealed class DigestCredentials
{
    /// <param name="username">Without control characters.</param>
    /// <param name="password">May be empty.</param>
    /// <param name="realm">The only realm that is answered; null for any. It is the challenger who names it, so that it protects nothing.</param>
    /// <exception cref="ArgumentException">The username is empty or has control characters.</exception>
    public DigestCredentials(string username, string password, string? realm = null)
    {
        if (username.Length == 0 || username.Any(char.IsControl)) throw new ArgumentException("A username has characters, and no control characters.", nameof(username));

        (Username, Password, Realm) = (username, password, realm);
    }

    public string Username { get; }

    public string? Realm { get; }

    internal string Password { get; }

    public override string ToString() => Username;
}
