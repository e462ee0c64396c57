using SipNat.Endpoint.Addressing;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What the streams of one session share in sending: one name, and one gate against flooding a stranger.</summary>
internal sealed class MediaSender(MediaPlaneOptions options, Outbox outbox, Random random)
{
    private const int CnameRandomBytes = 9;

    public Outbox Outbox { get; } = outbox;

    /// <summary>A short-term persistent name: 72 random bits (RFC 7022 §4.2 wants 96 across the internet; here it is unique in a session).</summary>
    public string Cname { get; } = DrawCname(random);

    public SendGate Gate { get; } = new();

    public MediaDestinationPolicy Policy { get; } = new(new LocalNetworks(options.LocalNetworks));

    private static string DrawCname(Random random)
    {
        Span<byte> bytes = stackalloc byte[CnameRandomBytes];
        random.NextBytes(bytes);
        return Convert.ToBase64String(bytes);
    }
}
