using SipNat.NatLab.Audio;

namespace SipNat.NatLab.Calls;

/// <summary>The program that is tried behind a NAT: it plays <see cref="Signal"/> into its calls and keeps what it hears.</summary>
public interface ICallClient : IAsyncDisposable
{
    /// <summary>The user that a client has at the provider.</summary>
    const string User = "100";

    /// <summary>The seed of what a client plays.</summary>
    const int Signal = 1;

    /// <summary>Calls somebody, talks and hangs up.</summary>
    Task<ClientCall> CallAsync(string uri, TimeSpan talk, CancellationToken stop);

    /// <summary>Gets ready to answer a call.</summary>
    Task ListenAsync(TimeSpan talk, CancellationToken stop);

    /// <summary>What was heard in the call that was listened for, once it is over.</summary>
    Task<ClientCall> FinishAsync(CancellationToken stop);
}

/// <summary>A call as the client tells of it.</summary>
/// <param name="Heard">What it heard; null where it kept nothing.</param>
/// <param name="Channel">The channel of that file which holds the other side.</param>
/// <param name="Told">Its verdict and its path, in a few words.</param>
public sealed record ClientCall(WaveFile? Heard, int Channel, string Told);
