using System.Globalization;
using SipNat.Wire;

namespace SipNat.Simulation.Accounts.Days;

/// <summary>A day of accounts behind a router, with two registrars of their provider, and what goes wrong on it.</summary>
public sealed record AccountDay
{
    public required int Seed { get; init; }

    public TimeSpan Length { get; init; } = TimeSpan.FromHours(24);

    public required NatOptions Nat { get; init; }

    /// <summary>UDP or TCP.</summary>
    public required TransportProtocol Transport { get; init; }

    /// <summary>How many accounts the machine has.</summary>
    public required int Accounts { get; init; }

    /// <summary>How many registrations each of them is to have.</summary>
    public required int Flows { get; init; }

    /// <summary>Whether the registrars tell flows apart (RFC 5626).</summary>
    public required bool IsOutbound { get; init; }

    /// <summary>What they wish of keepalives (RFC 6223, RFC 5626 §5.4), in seconds; null for nothing.</summary>
    public required int? Keep { get; init; }

    /// <summary>Whether the registrars call where a REGISTER came from, and not where its Contact says.</summary>
    public required bool FixesNat { get; init; }

    /// <summary>The longest lease that the registrars grant.</summary>
    public required TimeSpan Lease { get; init; }

    public required TimeSpan NonceLifetime { get; init; }

    /// <summary>Probability that a datagram is lost, each way.</summary>
    public required double Loss { get; init; }

    /// <summary>In the order in which they begin.</summary>
    public required IReadOnlyList<AccountFault> Faults { get; init; }

    public string Describe() =>
        FormattableString.Invariant($"seed {Seed}: {Accounts} by {Transport}{(IsOutbound ? $" and {Flows} of RFC 5626" : Flows > 1 ? $" and one of {Flows}" : "")}, keep {Keep?.ToString(CultureInfo.InvariantCulture) ?? "none"}, {Nat.Mapping}/{Nat.Filtering}/{Nat.PortAssignment}, ALG {Nat.SipAlg}, lease {Lease.TotalSeconds:F0} s, nonce {NonceLifetime.TotalSeconds:F0} s, loss {Loss:P1}, {(FixesNat ? "fixes NAT" : "believes Contacts")}, {Faults.Count} faults");
}
