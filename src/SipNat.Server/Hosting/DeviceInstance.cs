using System.Security.Cryptography;
using System.Text;

namespace SipNat.Server.Hosting;

/// <summary>
/// Who a device is to its registrars, the same over restarts (RFC 5626 §4.1), and another one for each account and folder of
/// recordings. It is a hash, so that nobody learns the machine's own id from it.
/// </summary>
internal static class DeviceInstance
{
    private const string MachineId = "/etc/machine-id";

    /// <summary>That of the server: of this machine, this account and this place.</summary>
    public static string Of(string account, string place) => From(SHA256.HashData(Encoding.UTF8.GetBytes($"sipnat\0{Machine()}\0{place}\0{account}")));

    /// <summary>One that is used once: a command that runs beside the server is another device.</summary>
    public static string Draw() => From(RandomNumberGenerator.GetBytes(32));

    // RFC 9562 §5.8: version 8, whose bits are ours to choose.
    private static string From(ReadOnlySpan<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[16];
        hash[..16].CopyTo(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return $"urn:uuid:{new Guid(bytes, bigEndian: true)}";
    }

    private static string Machine()
    {
        try
        {
            return File.ReadAllText(MachineId).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Environment.MachineName;
        }
    }
}
