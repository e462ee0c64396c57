using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Numbers every socket and connection of the process, signalling and media alike. Thread safe.</summary>
public sealed class FlowIds
{
    private int _last;

    public FlowId Next() => new(Interlocked.Increment(ref _last));
}
