using SipNat.Traversal.Ice;

namespace SipNat.Endpoint.Media;

/// <summary>What signalling wants for one port beside its sockets.</summary>
/// <param name="IceComponents">Components that the peer negotiates by ICE: 1 with rtcp-mux, else 2; 0 where it does not.</param>
/// <param name="Role">Controlling for the side that sent the offer (RFC 8445 §6.1.1).</param>
/// <param name="IsLocalPeer">The peer is reached without a NAT: its private addresses may be checked, and no relay is needed.</param>
public sealed record PathNeeds(int IceComponents, IceRole Role, bool IsLocalPeer)
{
    /// <summary>A relay is asked for whatever is known of the NAT: the addresses that it shows were found not to work.</summary>
    public bool WantsRelay { get; init; }
}
