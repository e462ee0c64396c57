using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The value of an <c>a=candidate</c> line (RFC 8839 §5.1).</summary>
public static class CandidateText
{
    /// <summary>A longer line is refused: the longest that is in use has some 200 characters.</summary>
    public const int MaxLength = 1024;

    private const string Udp = "UDP";

    // RFC 8839 §5.1: an address that is kept private is written as unspecified, with the port 9 (discard).
    private const int DiscardPort = 9;

    /// <summary>
    /// Reads a line such as <c>1 1 UDP 2130706431 203.0.113.141 8998 typ host</c>. Extensions that are not known are
    /// passed over (RFC 8839 §5.1).
    /// </summary>
    public static bool TryRead(ReadOnlySpan<char> value, out Candidate? candidate, out CandidateDefect defect)
    {
        candidate = null;
        defect = Read(value, ref candidate);
        return defect is CandidateDefect.None;
    }

    public static string Write(Candidate candidate)
    {
        var (address, related) = (candidate.Address, candidate.Related);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{candidate.Foundation} {candidate.Component} {Udp} {candidate.Priority} {address.AddressText} {address.Port} typ {candidate.Type.Token}");
        if (candidate.Type is CandidateType.Host) return text;

        // rel-addr and rel-port must be there for every other type, also where there is nothing to tell.
        var (host, port) = related.IsNone ? (address.IsIPv6 ? "::" : "0.0.0.0", DiscardPort) : (related.AddressText, related.Port);
        return string.Create(CultureInfo.InvariantCulture, $"{text} raddr {host} rport {port}");
    }

    private static CandidateDefect Read(ReadOnlySpan<char> value, ref Candidate? candidate)
    {
        if (value.Length > MaxLength) return CandidateDefect.TooLong;

        var words = new Words(value);
        var foundation = words.Next();
        if (foundation.IsEmpty || foundation.Length > Candidate.MaxFoundationLength || foundation.ContainsAnyExcept(IceText.Characters)) return CandidateDefect.Foundation;
        if (!TryReadNumber(words.Next(), 1, Candidate.MaxComponent, out var component)) return CandidateDefect.Component;

        var transport = words.Next();
        if (transport.IsEmpty) return CandidateDefect.Transport;
        if (!TryReadNumber(words.Next(), 1, int.MaxValue, out var priority)) return CandidateDefect.Priority;

        var host = words.Next();
        if (!TryReadNumber(words.Next(), 0, ushort.MaxValue, out var port)) return CandidateDefect.Port;
        if (!words.Next().Equals("typ", StringComparison.OrdinalIgnoreCase)) return CandidateDefect.Type;
        if (!CandidateTypes.TryRead(words.Next(), out var type)) return CandidateDefect.Type;
        if (!transport.Equals(Udp, StringComparison.OrdinalIgnoreCase)) return CandidateDefect.OtherTransport;
        if (!TryReadAddress(host, (int)port, out var address)) return IsName(host) ? CandidateDefect.HostName : CandidateDefect.Address;

        candidate = new(foundation.ToString(), (int)component, (uint)priority, address, type, ReadRelated(ref words));
        return CandidateDefect.None;
    }

    private static TransportAddress ReadRelated(ref Words words)
    {
        var host = ReadOnlySpan<char>.Empty;
        var port = 0L;
        while (words.Next() is { IsEmpty: false } name)
        {
            var value = words.Next();
            if (name.Equals("raddr", StringComparison.OrdinalIgnoreCase)) host = value;
            else if (name.Equals("rport", StringComparison.OrdinalIgnoreCase)) _ = TryReadNumber(value, 0, ushort.MaxValue, out port);
        }

        return TryReadAddress(host, (int)port, out var related) && !related.IsUnspecified ? related : default;
    }

    private static bool TryReadNumber(ReadOnlySpan<char> word, long min, long max, out long number) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= min && number <= max;

    // The address stands alone and without brackets, also for IPv6.
    private static bool TryReadAddress(ReadOnlySpan<char> host, int port, out TransportAddress address)
    {
        address = default;
        if (host.IndexOfAny('[', ']') >= 0) return false;
        if (!host.Contains(':')) return TransportAddress.TryParse(host, out address, port);

        return TransportAddress.TryParse($"[{host}]", out address, port);
    }

    // A name of multicast DNS, or of DNS: nothing here resolves it.
    private static bool IsName(ReadOnlySpan<char> host) => host.ContainsAnyInRange('g', 'z') || host.ContainsAnyInRange('G', 'Z');

    private ref struct Words(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> _rest = text;

        /// <summary>The next word; empty at the end.</summary>
        public ReadOnlySpan<char> Next()
        {
            _rest = _rest.TrimStart(' ');
            var end = _rest.IndexOf(' ');
            var word = end < 0 ? _rest : _rest[..end];
            _rest = _rest[word.Length..];
            return word;
        }
    }
}

/// <summary>Why a candidate line gives no candidate. The last two are no mistake of the peer's.</summary>
public enum CandidateDefect
{
    None,
    TooLong,
    Foundation,
    Component,
    Transport,
    Priority,
    Address,
    Port,
    Type,

    /// <summary>Another transport than UDP (RFC 6544).</summary>
    OtherTransport,

    /// <summary>A host name, such as one of multicast DNS ending in <c>.local</c>.</summary>
    HostName,
}
