using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Traversal.Stun;

/// <summary>
/// A username and its password, for both credential mechanisms of RFC 8489 §9. Both are taken as they are: a caller that
/// accepts more than ASCII prepares them first (<see cref="OpaqueString"/>).
/// </summary>
/// <remarks>A class and not a record, so that nothing prints the password.</remarks>
public sealed class StunCredentials
{
    /// <summary>The longest USERNAME, in bytes of UTF-8 (RFC 8489 §14.3: fewer than 509).</summary>
    public const int MaxUsernameLength = 508;

    /// <exception cref="ArgumentException">The username is empty or longer than USERNAME may be.</exception>
    public StunCredentials(string username, string password)
    {
        if (Encoding.UTF8.GetByteCount(username) is 0 or > MaxUsernameLength)
        {
            throw new ArgumentException($"A STUN username has 1–{MaxUsernameLength} bytes.", nameof(username));
        }

        (Username, Password) = (username, password);
    }

    public string Username { get; }

    public string Password { get; }

    /// <summary>
    /// Credentials that a TURN server and we derive from a shared secret, good until a moment: the username is that
    /// moment in Unix seconds, a colon and <paramref name="user"/>; the password is the HMAC-SHA1 of it in base64
    /// (draft-uberti-behave-turn-rest).
    /// </summary>
    /// <param name="secret">What both sides know.</param>
    /// <param name="user">A name for the server's log; may be empty, then the colon is left out.</param>
    /// <param name="wall">The time of day.</param>
    /// <param name="lifetime">How long they are good.</param>
    public static StunCredentials TimeLimited(string secret, string user, DateTimeOffset wall, TimeSpan lifetime)
    {
        var expiry = (wall + lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var username = user.Length == 0 ? expiry : $"{expiry}:{user}";
        var hash = HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(username));
        return new(username, Convert.ToBase64String(hash));
    }

    public override string ToString() => Username;
}
