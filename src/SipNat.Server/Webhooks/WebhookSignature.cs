using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Server.Webhooks;

/// <summary>
/// The signature of a delivery: <c>t=SECONDS,v1=HEX</c>, HMAC-SHA256 (RFC 2104) over the seconds since 1970, a full stop
/// and the body. The time is signed too, so that an old delivery cannot be sent again by somebody else.
/// </summary>
internal static class WebhookSignature
{
    public const string Header = "X-SipNat-Signature";

    public static string Create(string secret, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.ASCII.GetBytes(secret));
        hash.AppendData(Encoding.ASCII.GetBytes(seconds + "."));
        hash.AppendData(body);
        return $"t={seconds},v1={Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
