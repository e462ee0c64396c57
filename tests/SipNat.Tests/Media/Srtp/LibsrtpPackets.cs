using SipNat.Media.Srtp;

namespace SipNat.Tests.Media.Srtp;

/// <summary>Packets that libsrtp protected (<c>tests/data/srtp/libsrtp.txt</c>).</summary>
internal static class LibsrtpPackets
{
    /// <summary>Each with the line of its key.</summary>
    public static IReadOnlyList<(string Key, bool IsControl, byte[] Plain, byte[] Protected)> Read()
    {
        var (packets, key) = (new List<(string, bool, byte[], byte[])>(), "");
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "srtp", "libsrtp.txt")))
        {
            if (line.StartsWith("key ", StringComparison.Ordinal)) key = line;
            if (line.StartsWith("rt", StringComparison.Ordinal) && line.Split(' ') is [var kind, var plain, var made])
                packets.Add((key, kind is "rtcp", Convert.FromHexString(plain), Convert.FromHexString(made)));
        }

        return packets;
    }

    public static SrtpMasterKey MasterKeyOf(string line)
    {
        var fields = line.Split(' ');
        return new(
            SrtpProfile.All.Single(p => p.Name == fields[1]),
            Convert.FromHexString(fields[2]),
            fields.Length > 3 ? Convert.FromHexString(fields[3]) : []);
    }
}
