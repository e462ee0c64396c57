using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SipNat.Wire;

/// <summary>
/// An IPv4 or IPv6 address with a port (0–65535), as a value: it is compared and hashed without allocation.
/// An IPv4-mapped IPv6 address becomes the IPv4 address that it stands for. <c>default</c> means "none".
/// </summary>
public readonly record struct TransportAddress
{
    private readonly ulong _high;
    private readonly ulong _low;

    private TransportAddress(AddressFamily family, ulong high, ulong low, int port)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        (Family, _high, _low, Port) = (family, high, low, (ushort)port);
    }

    /// <summary>Four octets (IPv4) or sixteen (IPv6) in network order.</summary>
    public TransportAddress(ReadOnlySpan<byte> octets, int port)
        : this(FamilyOf(octets), High(octets), Low(octets), port)
    {
    }

    public TransportAddress(IPAddress address, int port)
        : this(Octets(address, stackalloc byte[16]), port)
    {
    }

    /// <summary>InterNetwork, InterNetworkV6, or Unspecified for <c>default</c>.</summary>
    public AddressFamily Family { get; }

    public ushort Port { get; }

    public bool IsNone => Family is AddressFamily.Unspecified;

    public bool IsIPv4 => Family is AddressFamily.InterNetwork;

    public bool IsIPv6 => Family is AddressFamily.InterNetworkV6;

    /// <summary>4, 16, or 0 for "none".</summary>
    public int AddressLength => IsIPv4 ? 4 : IsIPv6 ? 16 : 0;

    /// <summary>0.0.0.0 or ::, which as a media address means "on hold" (RFC 3264 §8.4).</summary>
    public bool IsUnspecified => !IsNone && _high == 0 && _low == 0;

    /// <summary>127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsIPv4 ? _low >> 24 == 127 : IsIPv6 && _high == 0 && _low == 1;

    /// <summary>224.0.0.0/4 (and the limited broadcast address) or ff00::/8: nothing of ours is ever sent there.</summary>
    public bool IsMulticastOrBroadcast => IsIPv4 ? _low >> 28 == 0xE || _low == 0xFFFF_FFFF : IsIPv6 && _high >> 56 == 0xFF;

    /// <summary>169.254.0.0/16 or fe80::/10.</summary>
    public bool IsLinkLocal => IsIPv4 ? _low >> 16 == 0xA9FE : IsIPv6 && _high >> 54 == 0x3FA;

    /// <summary>
    /// Not reachable across the public internet: RFC 1918, RFC 6598 (carrier-grade NAT), link-local, loopback and
    /// unique local addresses (RFC 4193).
    /// </summary>
    public bool IsPrivate => IsIPv4
        ? _low >> 24 == 10 || _low >> 20 == 0xAC1 || _low >> 16 == 0xC0A8 || _low >> 22 == 0x191 || IsLinkLocal || IsLoopback
        : IsIPv6 && (_high >> 57 == 0x7E || IsLinkLocal || IsLoopback);

    public TransportAddress WithPort(int port) => new(Family, _high, _low, port);

    /// <summary>Whether both stand for the same host, whatever the ports.</summary>
    public bool HasSameAddress(TransportAddress other) => Family == other.Family && _high == other._high && _low == other._low;

    /// <summary>Writes the 4 or 16 octets in network order and returns their number.</summary>
    public int WriteOctets(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
            return 4;
        }

        if (!IsIPv6) return 0;

        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        return 16;
    }

    /// <summary>Allocates; for the shell and for text.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> octets = stackalloc byte[16];
        var length = WriteOctets(octets);
        return length == 0 ? IPAddress.None : new IPAddress(octets[..length]);
    }

    public IPEndPoint ToIPEndPoint() => new(ToIPAddress(), Port);

    /// <summary>The address alone, as SDP's connection-address and SIP's <c>received</c> want it: no brackets, no port.</summary>
    public string AddressText => IsNone ? "none" : ToIPAddress().ToString();

    /// <summary>The address as a URI's host: IPv6 in brackets.</summary>
    public string HostText => IsIPv6 ? $"[{AddressText}]" : AddressText;

    public static TransportAddress From(IPEndPoint endPoint) => new(endPoint.Address, endPoint.Port);

    /// <summary>Reads <c>192.0.2.1:5060</c> or <c>[2001:db8::1]:5060</c>; without a port it is <paramref name="defaultPort"/>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TransportAddress address, int defaultPort = 0)
    {
        address = default;
        var host = text;
        var port = defaultPort;

        var closing = text.IndexOf(']');
        var colon = text.LastIndexOf(':');
        var hasPort = closing >= 0 ? colon == closing + 1 : colon >= 0 && text.IndexOf(':') == colon;
        if (hasPort)
        {
            if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) return false;
            if (port > ushort.MaxValue) return false;
            host = text[..colon];
        }

        if (host is ['[', .. var inner, ']']) host = inner;
        else if (host.IndexOfAny('[', ']') >= 0) return false;

        return TryParseHost(host, port, out address);
    }

    public static TransportAddress Parse(string text, int defaultPort = 0) =>
        TryParse(text, out var address, defaultPort) ? address : throw new FormatException($"'{text}' is not an address with a port.");

    // IPAddress takes "1", "0x7f.1" and "fe80::1%eth0" for addresses; the wire has only four decimals or RFC 4291 text.
    private static bool TryParseHost(ReadOnlySpan<char> host, int port, out TransportAddress address)
    {
        address = default;
        var isIPv6 = host.Contains(':');
        if (!isIPv6 && (host.Count('.') != 3 || host.ContainsAnyExcept("0123456789."))) return false;
        if (isIPv6 && host.Contains('%')) return false;
        if (!isIPv6 && HasLeadingZero(host)) return false;
        if (!IPAddress.TryParse(host, out var parsed)) return false;

        address = new(parsed, port);
        return true;
    }

    private static bool HasLeadingZero(ReadOnlySpan<char> host)
    {
        foreach (var range in host.Split('.'))
        {
            if (host[range] is ['0', _, ..]) return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> Octets(IPAddress address, Span<byte> buffer)
    {
        if (!address.TryWriteBytes(buffer, out var length)) throw new ArgumentException("Neither IPv4 nor IPv6.", nameof(address));

        return buffer[..length].ToArray();
    }

    private static bool IsMapped(ReadOnlySpan<byte> octets) =>
        octets.Length == 16
        && BinaryPrimitives.ReadUInt64BigEndian(octets) == 0
        && BinaryPrimitives.ReadUInt32BigEndian(octets[8..]) == 0xFFFF;

    private static AddressFamily FamilyOf(ReadOnlySpan<byte> octets) => octets.Length switch
    {
        4 => AddressFamily.InterNetwork,
        16 => IsMapped(octets) ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6,
        _ => throw new ArgumentException($"An address has 4 or 16 octets, not {octets.Length}.", nameof(octets)),
    };

    private static ulong High(ReadOnlySpan<byte> octets) => octets.Length == 4 ? 0 : BinaryPrimitives.ReadUInt64BigEndian(octets);

    private static ulong Low(ReadOnlySpan<byte> octets) =>
        octets.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(octets)
        : IsMapped(octets) ? BinaryPrimitives.ReadUInt32BigEndian(octets[12..])
        : BinaryPrimitives.ReadUInt64BigEndian(octets[8..]);

    /// <summary><c>192.0.2.1:5060</c> or <c>[2001:db8::1]:5060</c>.</summary>
    public override string ToString() => IsNone ? "none" : $"{HostText}:{Port}";
}
