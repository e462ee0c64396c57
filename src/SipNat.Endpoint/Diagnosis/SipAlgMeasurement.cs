using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>Whether something on the way rewrites SIP, and how that was seen.</summary>
/// <param name="IsPresent">True where it was seen at work; false takes every socket's word.</param>
/// <param name="Evidence">What was seen, in the order of the sockets; empty where nothing was.</param>
/// <param name="Obstacle">Why there is no verdict; None where there is one.</param>
public sealed record SipAlgMeasurement(Measured<bool> IsPresent, IReadOnlyList<SipAlgEvidence> Evidence, SipAlgObstacle Obstacle)
{
    internal static SipAlgMeasurement Of(IReadOnlyList<SipAlgLane> lanes)
    {
        var evidence = lanes.SelectMany(lane => lane.Evidence).ToList();
        var affected = lanes.Count(lane => lane.Evidence.Count > 0);
        if (affected > 0) return new(Measured<bool>.Of(true, affected), evidence, SipAlgObstacle.None);

        var obstacle = lanes.Select(lane => lane.Obstacle).FirstOrDefault(obstacle => obstacle is not SipAlgObstacle.None);
        return obstacle is SipAlgObstacle.None
            ? new(Measured<bool>.Of(false, lanes.Count), [], obstacle)
            : new(default, [], obstacle);
    }
}

/// <summary>One thing that cannot be so unless something on the way writes into messages.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Local">The socket that saw it.</param>
/// <param name="Sent">What was sent, or what is so.</param>
/// <param name="Seen">What came back.</param>
public sealed record SipAlgEvidence(SipAlgEvidenceKind Kind, TransportAddress Local, string Sent, string Seen);

/// <summary>The closed set of what gives an ALG away.</summary>
public enum SipAlgEvidenceKind
{
    /// <summary><c>received</c> is our own address, while a STUN server saw another one.</summary>
    ReceivedIsLocal,

    /// <summary>The top Via's sent-by or branch is not the one that was sent.</summary>
    ViaChanged,

    /// <summary>From has another user, host or port than was sent.</summary>
    FromChanged,

    /// <summary>To has another user, host or port than was sent.</summary>
    ToChanged,

    CallIdChanged,

    /// <summary>STUN's MAPPED-ADDRESS is not what XOR-MAPPED-ADDRESS says: somebody rewrites addresses in any payload (RFC 8489 §14.2).</summary>
    MappedAddressChanged,
}

/// <summary>What keeps a <see cref="SipAlgProbe"/> from a verdict.</summary>
public enum SipAlgObstacle
{
    None,

    /// <summary>The SIP server answered not every socket: it is down, or does not answer OPTIONS, or UDP is filtered.</summary>
    NoSipAnswer,

    /// <summary>No STUN server told every socket how it is seen.</summary>
    NoStunAnswer,

    /// <summary>The server does not say where it saw us (RFC 3581), so that a gateway could have translated all of it back.</summary>
    NoReceived,

    /// <summary>The SIP server is on a private address and may see ours as it is.</summary>
    PrivateServer,
}
