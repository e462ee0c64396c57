using SipNat.NatLab.Topology;
using SipNat.Traversal.Discovery;
using NatBehaviour = SipNat.NatLab.Topology.NatBehaviour;

namespace SipNat.NatLab.Calls;

/// <summary>What stands before a client, what its provider is like, and what the two speak.</summary>
public sealed record CallCase(NatBehaviour Nat, ProviderKind Provider, CallTransport Transport, bool IsEncrypted)
{
    /// <summary>Every case, those of one laboratory together.</summary>
    public static IReadOnlyList<CallCase> All { get; } =
    [
        .. from provider in Enum.GetValues<ProviderKind>()
           from nat in Enum.GetValues<NatBehaviour>()
           from transport in Enum.GetValues<CallTransport>()
           from encrypted in (bool[])[false, true]
           select new CallCase(nat, provider, transport, encrypted),
    ];

    public string Media => IsEncrypted ? "SRTP" : "RTP";

    public string Name => $"{Nat.Name}, {Provider.ToString().ToLowerInvariant()}, {Transport.Name}, {Media}";

    /// <summary>
    /// Whether a call in is possible by the two NATs and the transport alone, for a client that knows a TURN server: the
    /// far end has a public address, and a strict provider learns no address from packets.
    /// </summary>
    public bool IsPredictedIn
    {
        get
        {
            if (Nat is NatBehaviour.UdpBlocked && Transport is CallTransport.Udp) return false;

            var paths = PathPrediction.Of(new(Matrix.MatrixPair.Of(Nat)) { HasTurn = true }, new(Traversal.Discovery.NatBehaviour.Open)).Paths;
            return paths.Any(path => Provider is ProviderKind.Latching || path.Kind is not PathKind.Latching);
        }
    }

    /// <summary>The same of a call out. Keys are not offered over signalling that everybody can read, and the telephone wants some.</summary>
    public bool IsPredictedOut => IsPredictedIn && !(IsEncrypted && Transport is not CallTransport.Tls);
}
