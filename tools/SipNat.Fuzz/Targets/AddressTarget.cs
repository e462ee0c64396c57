using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>Addresses and networks as text.</summary>
internal sealed class AddressTarget : IFuzzTarget
{
    private static readonly TransportAddress Elsewhere = TransportAddress.Parse("[2001:db8::1]:1");

    public string Name => "address";

    public string Promise => "what is read is written so that it reads back equal; a network holds its own address";

    public int MaxLength => 256;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "[", "]", ":", "::", ".", "/", "%eth0", "::ffff:", "0x", "1.2.3.4", "fe80::1", "/0", "/32", "/128", "/129", "65535", "65536", " ");

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Mutator.Words(
        "192.0.2.1:5060", "[2001:db8::1]:5060", "192.0.2.1", "2001:db8::1", "[::ffff:192.0.2.1]:5060", "192.168.0.0/16", "fc00::/7", "::/0", "0.0.0.0/0", "");

    public long AllowedBytes(int inputLength) => 4096 + (32L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        Span<char> text = stackalloc char[MaxLength];
        text = text[..Encoding.Latin1.GetChars(input, text)];
        var isAddress = TransportAddress.TryParse(text, out var address, defaultPort: 5060);
        if (isAddress) CheckAddress(address);

        var isNetwork = NetworkPrefix.TryParse(text, out var network);
        if (isNetwork) CheckNetwork(network);

        return (isAddress ? 1 : 0) | (isNetwork ? 2 : 0) | (address.IsIPv6 ? 4 : 0) | (network.Length << 3);
    }

    private static void CheckAddress(TransportAddress address)
    {
        Invariant.Holds(TransportAddress.TryParse(address.ToString(), out var again) && again == address, "An address is read as it is written.", address.ToString());
        Invariant.Holds(!address.IsNone && address.AddressLength is 4 or 16, "An address that was read is one.");

        Span<byte> octets = stackalloc byte[16];
        Invariant.Holds(new TransportAddress(octets[..address.WriteOctets(octets)], address.Port) == address, "Octets stand for their address.", address.ToString());
        Invariant.Holds(TransportAddress.From(address.ToIPEndPoint()) == address, "An end point stands for its address.", address.ToString());
    }

    private static void CheckNetwork(NetworkPrefix network)
    {
        Invariant.Holds(NetworkPrefix.TryParse(network.ToString(), out var again) && again == network, "A network is read as it is written.", network.ToString());

        var text = network.ToString();
        var own = TransportAddress.Parse(text[..text.IndexOf('/', StringComparison.Ordinal)] is var host && host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host);
        Invariant.Holds(network.Contains(own), "A network holds its own address.", text);
        _ = network.Contains(Elsewhere) | network.Contains(default);
    }
}
