using System.Diagnostics.CodeAnalysis;
using System.Net.NetworkInformation;
using SipNat.Server.Transport;

namespace SipNat.Server.Addressing;

/// <summary>
/// Notices when this machine's addresses or its default route change: at once where the system tells of it, within five
/// seconds where it does not, as with a route.
/// </summary>
internal sealed class NetworkWatch(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Where the state comes from; a test puts its own here.</summary>
    internal Func<NetworkState> Read { get; init; } = NetworkState.Read;

    /// <summary>Looks until it is stopped.</summary>
    /// <param name="looked">Told what is there after each look, and whether it differs from the one before.</param>
    public async Task RunAsync(Action<NetworkState, bool> looked, CancellationToken stop)
    {
        using var changed = new SemaphoreSlim(0);
        TryRead(out var known);
        NetworkChange.NetworkAddressChanged += Wake;
        try
        {
            while (true)
            {
                await WaitAsync(changed, stop);
                if (!TryRead(out var state)) continue;

                var differs = known is not null && !state.Equals(known);
                known = state;
                looked(state, differs);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            NetworkChange.NetworkAddressChanged -= Wake;
        }

        void Wake(object? sender, EventArgs change) => changed.Release();
    }

    // An interface that goes while it is read is an error of the system's; the next look finds it gone.
    private bool TryRead([NotNullWhen(true)] out NetworkState? state)
    {
        try
        {
            state = Read();
            return true;
        }
        catch (NetworkInformationException)
        {
            state = null;
            return false;
        }
    }

    // The semaphore's own timeout would not follow a clock of a test.
    private async Task WaitAsync(SemaphoreSlim changed, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(changed.WaitAsync(limit.Token), Task.Delay(Interval, time, limit.Token));
        await limit.CancelAsync();
        stop.ThrowIfCancellationRequested();
    }
}

/// <summary>What a machine has of a network at one moment.</summary>
/// <param name="Addresses">Its own addresses.</param>
/// <param name="Gateway">Its way to the internet by IPv4; null without one.</param>
internal sealed record NetworkState(IReadOnlyList<InterfaceAddress> Addresses, DefaultGateway? Gateway)
{
    public static NetworkState Read() => new(LocalInterfaces.Read(), DefaultGateway.Find());

    public bool Equals(NetworkState? other) => other is not null && Gateway == other.Gateway && Addresses.SequenceEqual(other.Addresses);

    public override int GetHashCode() => HashCode.Combine(Gateway, Addresses.Count);
}
