namespace SipNat.Server.Hosting;

/// <summary>Whether the server takes sessions, for load balancers. Thread safe.</summary>
public sealed class Health
{
    private volatile HealthState _state = HealthState.Starting;

    public HealthState State
    {
        get => _state;
        set => _state = value;
    }
}

public enum HealthState
{
    Starting,

    /// <summary>Every listener is bound.</summary>
    Ready,

    /// <summary>Running sessions finish; no further ones are taken.</summary>
    Draining,
}
