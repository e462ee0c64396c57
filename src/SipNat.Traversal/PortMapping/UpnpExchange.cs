using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>A request that was given to the shell and not yet answered.</summary>
/// <param name="ExternalPort">The port that was asked for.</param>
/// <param name="Lease">The lease that was asked for; zero for ever.</param>
/// <param name="AnyPort">Whether the router may take another port.</param>
/// <param name="Tries">External ports that belonged to others.</param>
internal sealed record UpnpExchange(
    int Id, UpnpStep Step, Uri Address, ushort ExternalPort, TimeSpan Lease, bool AnyPort, int Tries, Instant Deadline)
{
    /// <summary>External ports that are tried after the one that was wanted.</summary>
    public const int MaxTries = 4;

    /// <summary>Another port is taken from 49152–65534, where no service of anybody should be (RFC 6335 §6).</summary>
    public const int FirstFreePort = 49_152;
}

internal enum UpnpStep
{
    Describe,
    Address,
    Check,
    Add,
    Remove,
}

/// <summary>Errors of WANIPConnection (version 1 §2.4.16–18, version 2 §2.5.18).</summary>
internal static class UpnpError
{
    public const int InvalidAction = 401;
    public const int NotAuthorized = 606;
    public const int NoSuchEntry = 714;
    public const int Conflict = 718;
    public const int OnlyPermanentLeases = 725;

    private const int ActionFailed = 501;
    private const int NoPortMapsAvailable = 728;
    private const int ConflictWithOtherMechanisms = 729;

    public static PortMappingOutcome OutcomeOf(int error) => error switch
    {
        NotAuthorized => PortMappingOutcome.NotAuthorized,
        ActionFailed or Conflict or NoPortMapsAvailable or ConflictWithOtherMechanisms => PortMappingOutcome.NoResources,
        _ => PortMappingOutcome.Unsupported,
    };
}
