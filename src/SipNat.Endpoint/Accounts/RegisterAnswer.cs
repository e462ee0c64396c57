using System.Globalization;
using System.Text;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>What a 2xx to REGISTER says of our binding (RFC 3261 §10.2.4, RFC 5626 §5.3).</summary>
internal sealed record RegisterAnswer
{
    /// <summary>Contacts that are looked at: an address of record with more is not ours alone.</summary>
    public const int MaxBindings = 32;

    /// <summary>How long our own binding lasts; null where the answer has none of ours.</summary>
    public TimeSpan? Lease { get; private init; }

    /// <summary>The URIs of all bindings, ours among them.</summary>
    public IReadOnlyList<string> Bindings { get; private init; } = [];

    /// <summary>Bindings with our instance and another address: those of an earlier life of this device.</summary>
    public IReadOnlyList<string> Stale { get; private init; } = [];

    /// <summary>Whether the registrar tells bindings apart by instance and reg-id, so that ours replaces the one before (RFC 5626 §6).</summary>
    public bool IsOutbound { get; private init; }

    /// <summary>How soon the registrar takes a silent flow for dead; null where it does not say (RFC 5626 §5.4).</summary>
    public TimeSpan? FlowTimer { get; private init; }

    /// <summary>Reads the answer to a REGISTER.</summary>
    /// <param name="contact">The URI of the binding that was asked for.</param>
    /// <param name="instance"><c>urn:uuid:…</c> of this device.</param>
    /// <param name="wanted">The lease that was asked for, which counts where the answer names none.</param>
    public static RegisterAnswer Read(StoredSipMessage answer, string contact, string instance, TimeSpan wanted)
    {
        TimeSpan? lease = null;
        var rank = 0;
        var (bindings, stale) = (new List<string>(), new List<string>());
        var ours = SipUri.Parse(contact);
        foreach (var value in answer.Headers(SipHeader.Contact).Take(MaxBindings))
        {
            if (!NameAddress.TryRead(Encoding.UTF8.GetBytes(value), out var address) || !SipUri.TryRead(address.Uri, out var uri)) continue;

            bindings.Add(uri.Text);
            var isSamePlace = IsSamePlace(uri, ours);
            var isOurInstance = address.Parameters.TryGet("+sip.instance"u8, out var text) && Encoding.UTF8.GetString(text).Contains(instance, StringComparison.OrdinalIgnoreCase);
            if (isOurInstance && !isSamePlace) stale.Add(uri.Text);
            // Ours by address before ours by name: some registrars write what they saw in place of what we wrote.
            var found = isSamePlace ? 3 : isOurInstance ? 2 : uri.User == ours.User ? 1 : 0;
            if (found <= rank) continue;

            (rank, lease) = (found, Seconds(address.Parameters, "expires"u8) ?? HeaderSeconds(answer, SipHeader.Expires) ?? wanted);
        }

        return new()
        {
            Lease = lease,
            Bindings = bindings,
            Stale = rank == 3 ? stale : [],
            IsOutbound = answer.HasToken(SipHeader.Require, "outbound"),
            FlowTimer = answer.Headers("Flow-Timer") is [var timer, ..] && ParseSeconds(timer) is { } seconds && seconds > TimeSpan.Zero ? seconds : null,
        };
    }

    /// <summary>Where the server saw the request that it answers; none where it does not say (RFC 3581 §4).</summary>
    public static TransportAddress SeenAt(StoredSipMessage answer) =>
        answer.View.TryGetTopVia(out var via) && via.TryGetReflexive(out var seen) ? seen : default;

    /// <summary>Seconds of a header such as Expires, Min-Expires and Retry-After, whatever follows them; null where there are none.</summary>
    public static TimeSpan? HeaderSeconds(StoredSipMessage answer, SipHeader header) => answer.Header(header) is { } value ? ParseSeconds(value) : null;

    private static bool IsSamePlace(SipUri one, SipUri other) =>
        one.User == other.User && one.TryGetAddress(out var address) && other.TryGetAddress(out var wanted) && address == wanted;

    private static TimeSpan? Seconds(SipParameters parameters, ReadOnlySpan<byte> name) =>
        parameters.TryGet(name, out var value) ? ParseSeconds(Encoding.ASCII.GetString(value)) : null;

    private static TimeSpan? ParseSeconds(string text)
    {
        var digits = text.AsSpan().TrimStart();
        var length = digits.IndexOfAnyExceptInRange('0', '9');
        if (length >= 0) digits = digits[..length];
        return uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }
}
