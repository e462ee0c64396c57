using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace SipNat.Server.Api;

/// <summary>
/// Gathers the meters of this program and of the runtime, and writes them as Prometheus text (exposition format 0.0.4).
/// A measurement on a series that exists allocates nothing.
/// </summary>
public sealed class MetricsExporter : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly Lock _collecting = new();

    public MetricsExporter()
        : this(static meter => meter == "System.Runtime" || meter.StartsWith("SipNat.", StringComparison.Ordinal))
    {
    }

    /// <param name="includes">Which meters are gathered, by name.</param>
    internal MetricsExporter(Func<string, bool> includes)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!includes(instrument.Meter.Name)) return;

            var family = new MetricFamily(instrument);
            _families[instrument] = family;
            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.MeasurementsCompleted = (instrument, _) => _families.TryRemove(instrument, out MetricFamily? _);
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, family) => Record(family, (double)value, tags));
        _listener.Start();
    }

    /// <summary>All series as they stand, ordered by name.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        lock (_collecting)
        {
            foreach (var family in _families.Values) family.BeginCollection();
            _listener.RecordObservableInstruments();

            // Two instruments of one name (the same meter made twice) are one family: its lines must stand together.
            foreach (var group in _families.Values.GroupBy(family => family.Name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
            {
                MetricFamily.Write(text, [.. group]);
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private static void Record(object? family, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        ((MetricFamily)family!).Record(value, tags);
}
