using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Dialogs;

/// <summary>What a registrar says of our binding in a 2xx to REGISTER (RFC 3261 §10.3, RFC 5626 §6, RFC 3608, RFC 6223).</summary>
public sealed record RegistrationAnswer
{
    /// <summary>Routes that are kept; a longer list is cut, as no request would find its way along it.</summary>
    public const int MaxRoutes = Dialog.MaxRoutes;

    /// <summary>Ours among the bindings; null where it is not among them.</summary>
    public Contact? Binding { get; private init; }

    /// <summary>How long it lasts: its own word, else that of the whole answer; null where neither says.</summary>
    public TimeSpan? Lease { get; private init; }

    /// <summary>Bindings with our instance that an earlier life or address of ours has left, and that nothing replaces.</summary>
    public IReadOnlyList<Contact> Stale { get; private init; } = [];

    /// <summary>Every binding of the address of record, ours and those of other devices among them.</summary>
    public IReadOnlyList<Contact> Bindings { get; private init; } = [];

    /// <summary>Route values for requests of this account, each with its brackets (RFC 3608 §5).</summary>
    public IReadOnlyList<string> ServiceRoute { get; private init; } = [];

    /// <summary>Proxies that lead back to us, as the registrar has them (RFC 3327 §5.3).</summary>
    public IReadOnlyList<string> Path { get; private init; } = [];

    /// <summary>The registrar keeps flows by instance and reg-id, so that a new binding replaces the one before (RFC 5626 §6).</summary>
    public bool IsOutbound { get; private init; }

    /// <summary>A flow that was silent for so long is taken for dead (RFC 5626 §5.4); null where it does not say.</summary>
    public TimeSpan? FlowTimer { get; private init; }

    /// <summary>The next hop takes keepalives, at this interval; zero where it has no wish, null where it does not say (RFC 6223 §4.1).</summary>
    public TimeSpan? Keep { get; private init; }

    /// <summary>Where we were seen (RFC 3581 §4); none where it does not say.</summary>
    public TransportAddress SeenAt { get; private init; }

    /// <summary>Reads a 2xx answer to a REGISTER of ours.</summary>
    /// <param name="own">The Contact that was registered, with its instance and reg-id where it had any.</param>
    public static RegistrationAnswer Read(StoredSipMessage response, Contact own)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(own);
        var view = response.View;
        var seen = response.SeenAt;
        var bindings = Contact.ReadAll(view);
        var binding = Find(bindings, own, seen);
        return new()
        {
            Bindings = bindings,
            Binding = binding,
            Lease = binding is null ? null : binding.Expires ?? response.Seconds(SipHeader.Expires),
            Stale = binding is null ? [] : [.. bindings.Where(other => !ReferenceEquals(other, binding) && IsSameFlow(other, own))],
            ServiceRoute = [.. response.Headers(SipHeader.ServiceRoute).Take(MaxRoutes)],
            Path = [.. response.Headers(SipHeader.Path).Take(MaxRoutes)],
            IsOutbound = view.HasToken(SipHeader.Require, "outbound"u8),
            FlowTimer = response.Seconds(SipHeader.FlowTimer) is { Ticks: > 0 } timer ? timer : null,
            Keep = view.TryGetTopVia(out var via) && via.TryGetKeep(out var keep) ? keep : null,
            SeenAt = seen,
        };
    }

    /// <summary>Bindings of a 2xx that are certainly this one: by its instance, or without any at its very address.</summary>
    public static IReadOnlyList<Contact> Listed(StoredSipMessage response, Contact own)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(own);
        var seen = response.SeenAt;
        return [.. Contact.ReadAll(response.View).Where(binding => IsSameFlow(binding, own) || (binding.Instance is null && binding.Uri.User == own.Uri.User && IsAt(binding, own, seen)))];
    }

    // At one of our addresses with our instance, or with our user and no instance; then elsewhere. A gateway that puts our
    // address into every answer makes a binding of before look like the one that was just made, which lasts longer. Some
    // registrars rewrite every Contact, so that any that has our user may be ours: the one that ends first is taken, as refreshing early harms
    // nobody.
    private static Contact? Find(IReadOnlyList<Contact> bindings, Contact own, TransportAddress seen)
    {
        var flows = bindings.Where(binding => IsSameFlow(binding, own)).ToList();
        var users = bindings.Where(binding => binding.Instance is null && binding.Uri.User == own.Uri.User).ToList();
        return flows.Where(binding => IsAt(binding, own, seen)).MaxBy(Lasts)
            ?? users.Where(binding => IsAt(binding, own, seen)).MaxBy(Lasts)
            ?? flows.FirstOrDefault()
            ?? users.MinBy(Lasts);

        static TimeSpan Lasts(Contact binding) => binding.Expires ?? TimeSpan.MaxValue;
    }

    // URNs of UUIDs are compared without regard to case (RFC 4122 §3). A registrar that does not know reg-id leaves it out.
    private static bool IsSameFlow(Contact binding, Contact own) =>
        own.Instance is not null
        && own.Instance.Equals(binding.Instance, StringComparison.OrdinalIgnoreCase)
        && (binding.RegId is null || own.RegId is null || binding.RegId == own.RegId);

    private static bool IsAt(Contact binding, Contact own, TransportAddress seen) =>
        binding.Uri.TryGetAddress(out var address)
        && (address == seen || (own.Uri.TryGetAddress(out var registered) && address == registered));
}
