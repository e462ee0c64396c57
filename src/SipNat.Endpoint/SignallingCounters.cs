namespace SipNat.Endpoint;

/// <summary>What the signalling core has counted since its start.</summary>
public sealed class SignallingCounters
{
    /// <summary>Recording sessions that began.</summary>
    public long Begun { get; internal set; }

    /// <summary>Sessions that are over.</summary>
    public long Ended { get; internal set; }

    /// <summary>Requests from outside the allowed networks.</summary>
    public long Refused { get; internal set; }

    /// <summary>INVITEs turned away while full or draining, and requests of dialogs that bring too many.</summary>
    public long Overloaded { get; internal set; }

    /// <summary>INVITEs in which nothing could be recorded.</summary>
    public long Unrecordable { get; internal set; }
}
