using SipNat.Endpoint;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Media;
using SipNat.Media.Streams;
using SipNat.Server.Codecs;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Sip.Sdp;
using SipNat.Wire;
using ForwardedPorts = SipNat.Endpoint.Addressing.ForwardedPorts;

namespace SipNat.Server.Hosting;

/// <summary>The configuration as the endpoint's cores take it.</summary>
internal sealed record EndpointOptions(SignallingOptions Signalling, AddressingOptions Addressing, MediaPlaneOptions Media)
{
    private static readonly IReadOnlyList<NetworkPrefix> Loopback = [NetworkPrefix.Parse("127.0.0.0/8"), NetworkPrefix.Parse("::1/128")];

    public static EndpointOptions From(SipNatOptions options, IReadOnlyList<InterfaceAddress> interfaces)
    {
        var local = options.Nat.LocalNetworks ?? LocalInterfaces.PrivateNetworks(interfaces);
        var allowed = AllowedNetworks(options, local);
        return new(
            new()
            {
                AllowedNetworks = allowed,
                MediaAddress = options.Media.Address,
                Keepalive = options.Nat.Keepalive,
                SilenceTimeout = options.Recording.SilenceTimeout,
                ForceRport = options.Sip.ForceRport,
                MaxSessions = options.Sip.MaxSessions,
                MaxSessionsPerPeer = options.Sip.MaxSessionsPerPeer,
                UsesIce = options.Nat.Ice is not NatIce.Off,
                Srtp = SrtpOf(options.Media.Srtp),
                AllowedTargets = options.Calls.AllowedTargets,
                ListeningPorts = options.Sip.Listen.GroupBy(l => l.Transport).ToDictionary(same => same.Key, same => (int)same.First().Address.Port),
            },
            new()
            {
                External = [.. options.Nat.ExternalAddress.Select(name => name.Address).Where(a => !a.IsNone)],
                ForwardedPorts = options.Nat.ForwardedPorts is Options.ForwardedPorts.Same ? ForwardedPorts.Same : ForwardedPorts.None,
                ExternalSipPort = options.Nat.ExternalSipPort,
                SipPort = options.Sip.Listen.Select(l => (int)l.Address.Port).FirstOrDefault(SipOptions.DefaultPort),
                ExternalMediaFirstPort = options.Nat.ExternalMediaFirstPort,
                MediaFirstPort = options.Media.FirstPort,
                LocalNetworks = local,
                IsRelayOnly = options.Nat.RelayOnly,
            },
            new()
            {
                Ice = IceOf(options.Nat.Ice),
                IsRelayOnly = options.Nat.RelayOnly,
                ConsentInterval = options.Nat.ConsentInterval,
                ConsentTimeout = options.Nat.ConsentTimeout,
                Keepalive = options.Nat.Keepalive,
                Latch = LatchOf(options.Media.Latch),
                AllowedNetworks = allowed,
                LocalNetworks = local,
                Codecs = NativeCodecs.Registry,
            });
    }

    /// <summary>Who may call us, or record, without an account.</summary>
    public static IReadOnlyList<NetworkPrefix> AllowedNetworks(SipNatOptions options) =>
        AllowedNetworks(options, options.Nat.LocalNetworks ?? LocalInterfaces.PrivateNetworks(LocalInterfaces.Read()));

    private static IReadOnlyList<NetworkPrefix> AllowedNetworks(SipNatOptions options, IReadOnlyList<NetworkPrefix> local) =>
        options.Sip.AllowedNetworks ?? [.. Loopback, .. local];

    private static IceMode IceOf(NatIce ice) => ice switch
    {
        NatIce.Off => IceMode.Off,
        NatIce.Offered => IceMode.Offered,
        NatIce.Lite => IceMode.Lite,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    internal static SrtpMode SrtpOf(MediaSrtp srtp) => srtp switch
    {
        MediaSrtp.Off => SrtpMode.Off,
        MediaSrtp.Offered => SrtpMode.Offered,
        MediaSrtp.BestEffort => SrtpMode.BestEffort,
        MediaSrtp.Required => SrtpMode.Required,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static LatchPolicy LatchOf(MediaLatch latch) => latch switch
    {
        MediaLatch.Off => LatchPolicy.Off,
        MediaLatch.Signalling => LatchPolicy.Signalling,
        MediaLatch.Allowed => LatchPolicy.Allowed,
        MediaLatch.Any => LatchPolicy.Any,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
