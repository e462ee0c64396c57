using System.Globalization;

namespace SipNat.Wire;

/// <summary>A network such as <c>192.168.0.0/16</c> or <c>fc00::/7</c>; a bare address is a network of one host.</summary>
public readonly record struct NetworkPrefix
{
    private readonly TransportAddress _address;

    /// <param name="address">Any address of the network; the port is ignored.</param>
    /// <param name="length">Leading bits that count: 0–32 (IPv4) or 0–128 (IPv6).</param>
    public NetworkPrefix(TransportAddress address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.AddressLength * 8);
        Span<byte> octets = stackalloc byte[16];
        octets = octets[..address.WriteOctets(octets)];
        Mask(octets, length);
        (_address, Length) = (new(octets, 0), length);
    }

    public int Length { get; }

    public bool Contains(TransportAddress address)
    {
        if (address.IsNone || address.Family != _address.Family) return false;

        Span<byte> octets = stackalloc byte[16];
        octets = octets[..address.WriteOctets(octets)];
        Mask(octets, Length);
        return new TransportAddress(octets, 0) == _address;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out NetworkPrefix prefix)
    {
        prefix = default;
        var slash = text.IndexOf('/');
        var host = slash < 0 ? text : text[..slash];
        if (host.Contains('[') || (!host.Contains('.') && !host.Contains(':'))) return false;
        if (!TransportAddress.TryParse(host.Contains(':') ? $"[{host}]" : host, out var address) || address.Port != 0) return false;

        var length = address.AddressLength * 8;
        if (slash >= 0 && !int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length)) return false;
        if (length > address.AddressLength * 8) return false;

        prefix = new(address, length);
        return true;
    }

    public static NetworkPrefix Parse(string text) =>
        TryParse(text, out var prefix) ? prefix : throw new FormatException($"'{text}' is not a network such as 192.168.0.0/16.");

    private static void Mask(Span<byte> octets, int length)
    {
        for (var i = 0; i < octets.Length; i++)
        {
            var bits = Math.Clamp(length - (i * 8), 0, 8);
            octets[i] &= (byte)(0xFF00 >> bits);
        }
    }

    public override string ToString() => $"{_address.AddressText}/{Length}";
}
