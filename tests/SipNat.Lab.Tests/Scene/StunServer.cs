using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.Lab.Tests.Scene;

/// <summary>coturn on both addresses of <c>srv</c>: STUN with RFC 5780.</summary>
internal static class StunServer
{
    public const string Address = CoturnServer.Address;

    public static Task<LabProcess> StartAsync(NatLaboratory lab) => CoturnServer.StartAsync(lab, TestContext.Current.CancellationToken);
}
