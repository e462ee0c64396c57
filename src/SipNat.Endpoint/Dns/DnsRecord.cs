using System.Buffers.Binary;
using System.Text;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>One resource record of class IN (RFC 1035 §3.2.1). The set is closed: switch over it.</summary>
/// <param name="Owner">Whose it is: lower case, without the last full stop.</param>
/// <param name="Ttl">How long it may be kept, as the server says.</param>
public abstract record DnsRecord(string Owner, TimeSpan Ttl)
{
    /// <summary>A host's address, port 0: A (RFC 1035 §3.4.1) or AAAA (RFC 3596).</summary>
    public sealed record Host(string Owner, TimeSpan Ttl, TransportAddress Address) : DnsRecord(Owner, Ttl);

    /// <summary>The owner is another name for it: CNAME (RFC 1035 §3.3.1).</summary>
    public sealed record Alias(string Owner, TimeSpan Ttl, string Canonical) : DnsRecord(Owner, Ttl);

    /// <summary>SRV (RFC 2782).</summary>
    /// <param name="Priority">0–65535; the lowest first.</param>
    /// <param name="Weight">0–65535: its share among those of its priority.</param>
    /// <param name="Target">Empty where the service is decidedly not there.</param>
    public sealed record Service(string Owner, TimeSpan Ttl, int Priority, int Weight, int Port, string Target) : DnsRecord(Owner, Ttl);

    /// <summary>NAPTR (RFC 3403 §4.1).</summary>
    /// <param name="Order">0–65535; the lowest that is understood, and no other.</param>
    /// <param name="Preference">0–65535; the lowest first among one order.</param>
    /// <param name="Services">Application services and protocols, such as <c>RELAY:turn.udp</c> (RFC 5928).</param>
    public sealed record Pointer(string Owner, TimeSpan Ttl, int Order, int Preference, string Flags, string Services, string Replacement)
        : DnsRecord(Owner, Ttl);

    /// <summary>SOA: how long the absence of a name may be kept (RFC 2308 §4).</summary>
    public sealed record Authority(string Owner, TimeSpan Ttl, TimeSpan Minimum) : DnsRecord(Owner, Ttl);

    /// <summary>Reads the data of a record; null for a type that nobody here asks for.</summary>
    /// <returns>False where the data are not what the type says.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> message, int offset, int length, string owner, DnsType type, TimeSpan ttl, out DnsRecord? record)
    {
        record = null;
        var data = message.Slice(offset, length);
        var end = offset + length;
        switch (type)
        {
            case DnsType.A or DnsType.Aaaa:
                if (length != (type is DnsType.A ? 4 : 16)) return false;
                record = new Host(owner, ttl, new(data, 0));
                return true;
            case DnsType.Cname:
                if (!DnsName.TryRead(message, ref offset, out var canonical) || offset != end) return false;
                record = new Alias(owner, ttl, canonical);
                return true;
            case DnsType.Srv:
                offset += 6;
                if (length < 7 || !DnsName.TryRead(message, ref offset, out var target) || offset != end) return false;
                record = new Service(owner, ttl, Number(data), Number(data[2..]), Number(data[4..]), target);
                return true;
            case DnsType.Naptr:
                return TryReadPointer(message, offset, end, owner, ttl, out record);
            case DnsType.Soa:
                return TryReadAuthority(message, offset, end, owner, ttl, out record);
            default:
                return true;
        }
    }

    private static bool TryReadPointer(ReadOnlySpan<byte> message, int offset, int end, string owner, TimeSpan ttl, out DnsRecord? record)
    {
        record = null;
        var data = message[offset..end];
        offset += 4;
        if (data.Length < 8
            || !TryReadText(message, end, ref offset, out var flags)
            || !TryReadText(message, end, ref offset, out var services)
            || !TryReadText(message, end, ref offset, out _)
            || !DnsName.TryRead(message, ref offset, out var replacement)
            || offset != end) return false;

        record = new Pointer(owner, ttl, Number(data), Number(data[2..]), flags, services, replacement);
        return true;
    }

    private static bool TryReadAuthority(ReadOnlySpan<byte> message, int offset, int end, string owner, TimeSpan ttl, out DnsRecord? record)
    {
        const int Numbers = 20;
        record = null;
        if (!DnsName.TryRead(message, ref offset, out _) || !DnsName.TryRead(message, ref offset, out _) || offset + Numbers != end) return false;

        record = new Authority(owner, ttl, DnsMessage.Lifetime(BinaryPrimitives.ReadUInt32BigEndian(message[(end - 4)..])));
        return true;
    }

    private static bool TryReadText(ReadOnlySpan<byte> message, int end, ref int offset, out string text)
    {
        text = "";
        if (offset >= end || offset + 1 + message[offset] > end) return false;

        text = Encoding.Latin1.GetString(message.Slice(offset + 1, message[offset]));
        offset += 1 + message[offset];
        return true;
    }

    private static int Number(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt16BigEndian(data);
}

/// <summary>Types of records from the IANA registry of DNS parameters that are asked for or read.</summary>
public enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Soa = 6,
    Aaaa = 28,
    Srv = 33,
    Naptr = 35,
}

/// <summary>What is asked for, in class IN.</summary>
/// <param name="Name">Lower case, without the last full stop.</param>
public readonly record struct DnsQuestion(string Name, DnsType Type);
