namespace SipNat.Wire;

/// <summary>CRC-32 of ITU-T V.42 (reflected polynomial 0xEDB88320), as STUN's FINGERPRINT wants it (RFC 8489 §14.7).</summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB8_8320;
    private static readonly uint[] Table = BuildTable();

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = Table[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] BuildTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? (value >> 1) ^ Polynomial : value >> 1;
            table[i] = value;
        }

        return table;
    }
}
