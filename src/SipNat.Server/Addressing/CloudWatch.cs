using Microsoft.Extensions.Logging;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>Asks the cloud for the public addresses of this machine at the start and every five minutes.</summary>
internal sealed partial class CloudWatch(CloudMetadata provider, TimeProvider time, ILogger<CloudWatch> log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>
    /// What is to be asked; null where nothing would come of it: an external address is configured, or the machine is in no
    /// cloud that is known.
    /// </summary>
    public static CloudWatch? For(NatOptions options, TimeProvider time, ILoggerFactory logs)
    {
        if (options.CloudMetadata is CloudMetadata.Off || options.ExternalAddress.Count > 0) return null;

        var provider = options.CloudMetadata is CloudMetadata.Auto ? CloudProvider.Detect() : options.CloudMetadata;
        return provider is CloudMetadata.Off ? null : new(provider, time, logs.CreateLogger<CloudWatch>());
    }

    /// <summary>Runs until it is stopped.</summary>
    /// <param name="changed">Told local and public addresses, where they are others than before.</param>
    public async Task RunAsync(Action<IReadOnlyDictionary<TransportAddress, TransportAddress>> changed, CancellationToken stop)
    {
        using var addresses = new CloudAddresses(provider);
        IReadOnlyDictionary<TransportAddress, TransportAddress> known = new Dictionary<TransportAddress, TransportAddress>();
        try
        {
            while (true)
            {
                var found = await addresses.AskAsync(stop);
                if (found is null)
                {
                    LogSilent(log, provider);
                }
                else if (!found.OrderBy(pair => pair.Key.AddressText, StringComparer.Ordinal).SequenceEqual(known.OrderBy(pair => pair.Key.AddressText, StringComparer.Ordinal)))
                {
                    known = found;
                    changed(found);
                    LogFound(log, provider, string.Join(", ", found.Select(pair => $"{pair.Key.AddressText} is {pair.Value.AddressText}")));
                }

                await Task.Delay(Interval, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The metadata service of {Provider} did not tell the public address of this machine; trying again")]
    private static partial void LogSilent(ILogger logger, CloudMetadata provider);

    [LoggerMessage(LogLevel.Information, "Public addresses by the metadata service of {Provider}: {Addresses}")]
    private static partial void LogFound(ILogger logger, CloudMetadata provider, string addresses);
}
