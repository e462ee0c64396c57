using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.NatLab.Ice;

/// <summary>What an <see cref="IceDriver"/> is asked to do.</summary>
internal sealed record IceDriverOptions
{
    public required IceRole Role { get; init; }

    /// <summary>The folder by which both sides exchange their descriptions.</summary>
    public required string Folder { get; init; }

    /// <summary>The address of the socket; its port is drawn.</summary>
    public required TransportAddress Local { get; init; }

    /// <summary>None where no server is asked.</summary>
    public TransportAddress StunServer { get; init; }

    /// <summary>None where no relay is asked for.</summary>
    public TransportAddress TurnServer { get; init; }

    public StunCredentials? Credentials { get; init; }

    /// <summary>How long media flow.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether media are sent; without them a dead path is noticed by consent alone.</summary>
    public bool SendsMedia { get; init; } = true;

    public IceOptions Agent { get; init; } = new();
}
