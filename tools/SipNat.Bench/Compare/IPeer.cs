using System.Net;

namespace SipNat.Bench.Compare;

/// <summary>A program that is measured beside the recorder, running.</summary>
internal interface IPeer : IAsyncDisposable
{
    int Id { get; }

    /// <summary>Where each stream is to be sent.</summary>
    IReadOnlyList<IPEndPoint> Targets { get; }

    /// <summary>Ends it and gives how many packets it has received, or has in its files.</summary>
    /// <exception cref="InvalidDataException">It does not say.</exception>
    Task<long> FinishAsync();
}
