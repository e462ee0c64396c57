using SipNat.NatLab;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Scene;

/// <summary>The configurations that a recorder needs in its places.</summary>
internal static class Recorders
{
    /// <summary>Forwarded at the recorder's router: SIP and the media ports of <see cref="ServerProcess"/>.</summary>
    public static IReadOnlyList<PortRange> Forward { get; } =
        [new(ServerProcess.SipPort, ServerProcess.SipPort), new(ServerProcess.FirstMediaPort, ServerProcess.LastMediaPort)];

    /// <summary>Starts the recorder on <c>hostB</c>, told of its router's forward where it is behind one.</summary>
    public static Task<ServerProcess> StartAsync(NatLaboratory lab, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        if (lab.Options.Right is not NatBehaviour.Open)
        {
            all["Nat:ForwardedPorts"] = "Same";
            all["Nat:ExternalAddress:0"] = lab.RightPublicAddress.ToString();
        }

        foreach (var (key, value) in settings) all[key] = value;
        return ServerProcess.StartAsync(lab.Host("hostB"), all);
    }

    /// <summary>Starts the recorder with these settings alone.</summary>
    public static Task<ServerProcess> StartWithAsync(NatLaboratory lab, params (string Key, string Value)[] settings) =>
        ServerProcess.StartAsync(lab.Host("hostB"), settings.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));
}
