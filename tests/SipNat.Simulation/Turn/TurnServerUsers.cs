using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Simulation.Turn;

/// <summary>
/// The server's side of the long-term credential mechanism, from RFC 8489 §9.2.4: who may ask, and which nonces are
/// fresh. Keys are computed here and not by the client's code.
/// </summary>
internal sealed class TurnServerUsers(SimulatedTurnServerOptions options)
{
    private readonly Dictionary<string, Instant> _nonces = new(StringComparer.Ordinal);
    private int _issued;

    /// <summary>Forgets every nonce, as a restart does.</summary>
    public void Forget() => _nonces.Clear();

    /// <summary>0 where the request may pass, else 400, 401 or 438.</summary>
    public int Check(Instant now, StunMessage request, out string username)
    {
        username = "";
        var type = options.UsesSha256 ? StunAttributeType.MessageIntegritySha256 : StunAttributeType.MessageIntegrity;
        if (!request.TryGet(type, out _)) return 401;
        if (!request.TryGet(StunAttributeType.Realm, out var realm) || !request.TryGet(StunAttributeType.Nonce, out var nonce)) return 400;
        if (!IsNamed(request, out username) || Encoding.UTF8.GetString(realm) != options.Realm) return 401;
        if (options.UsesSha256 && !HasAlgorithm(request)) return 400;
        if (!_nonces.TryGetValue(Encoding.UTF8.GetString(nonce), out var issued) || now - issued >= options.NonceLifetime) return 438;

        var isValid = options.UsesSha256 ? StunIntegrity.IsValidSha256(request, Key) : StunIntegrity.IsValid(request, Key);
        return isValid ? 0 : 401;
    }

    /// <summary>Adds REALM, a new NONCE and, where the server speaks RFC 8489, what comes with its cookie.</summary>
    public void Challenge(Instant now, ref StunWriter writer)
    {
        // AAAA is no feature; the first two of 24 bits are 1100…, in base64 "wAAA".
        var cookie = options.UsesSha256 ? options.HidesUsernames ? "obMatJos2wAAA" : "obMatJos2gAAA" : "";
        var nonce = string.Create(CultureInfo.InvariantCulture, $"{cookie}nonce-{++_issued}");
        _nonces[nonce] = now;
        writer.AddText(StunAttributeType.Realm, options.Realm);
        writer.AddText(StunAttributeType.Nonce, nonce);
        if (options.UsesSha256 && !options.StripsAlgorithms) writer.Add(StunAttributeType.PasswordAlgorithms, [0, 2, 0, 0, 0, 1, 0, 0]);
    }

    /// <summary>Ends a response to a request that was authenticated.</summary>
    public void Sign(ref StunWriter writer)
    {
        if (options.UsesSha256) writer.AddIntegritySha256(Key);
        else writer.AddIntegrity(Key);
    }

    private byte[] Key
    {
        get
        {
            var text = Encoding.UTF8.GetBytes($"{options.Username}:{options.Realm}:{options.Password}");
            return options.UsesSha256 ? SHA256.HashData(text) : MD5.HashData(text);
        }
    }

    private bool IsNamed(StunMessage request, out string username)
    {
        username = options.Username;
        if (options is { UsesSha256: true, HidesUsernames: true })
        {
            return request.TryGet(StunAttributeType.UserHash, out var hash)
                && hash.SequenceEqual(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Username}:{options.Realm}")));
        }

        return request.TryGet(StunAttributeType.Username, out var name) && Encoding.UTF8.GetString(name) == options.Username;
    }

    private static bool HasAlgorithm(StunMessage request) =>
        request.TryGet(StunAttributeType.PasswordAlgorithms, out var list)
        && list.SequenceEqual((ReadOnlySpan<byte>)[0, 2, 0, 0, 0, 1, 0, 0])
        && request.TryGet(StunAttributeType.PasswordAlgorithm, out var one)
        && one.SequenceEqual((ReadOnlySpan<byte>)[0, 2, 0, 0]);
}
