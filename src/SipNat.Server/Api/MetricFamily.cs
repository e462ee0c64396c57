using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace SipNat.Server.Api;

/// <summary>One instrument with its series, one per set of tags. Thread safe.</summary>
internal sealed class MetricFamily
{
    /// <summary>Series of one instrument; measurements of further sets of tags are left out.</summary>
    public const int MaxSeries = 1000;

    private static readonly double[] DefaultBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MetricSeries>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Func<string, MetricSeries> _create;
    private readonly string _help;
    private readonly MetricType _type;
    private readonly bool _isObservable;

    // A counter is told what to add; a gauge, and whatever is observed, what it stands at.
    private readonly bool _adds;

    public MetricFamily(Instrument instrument)
    {
        (_type, _adds) = TypeOf(instrument);
        (_isObservable, _help) = (instrument.IsObservable, instrument.Description ?? "");
        Name = MetricLabels.FamilyName(instrument.Name, instrument.Unit, _type);
        var bounds = _type is MetricType.Histogram ? BoundsOf(instrument) : [];
        _create = _ => new(bounds);
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public string Name { get; }

    /// <summary>Observable series are told anew at each collection: those that are gone do not stay.</summary>
    public void BeginCollection()
    {
        if (_isObservable) _series.Clear();
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new MetricLabels(stackalloc char[MetricLabels.MaxLength]);
        foreach (var tag in tags) labels.Append(tag.Key, tag.Value);
        if (labels.IsTooLong) return;

        if (!_lookup.TryGetValue(labels.Text, out var series))
        {
            if (_series.Count >= MaxSeries) return;
            series = _series.GetOrAdd(labels.Text.ToString(), _create);
        }

        if (_type is MetricType.Histogram) series.Observe(value);
        else if (_adds) series.Add(value);
        else series.Set(value);
    }

    /// <summary>Writes the families of one name, whose series stand below one heading.</summary>
    public static void Write(StringBuilder text, IReadOnlyList<MetricFamily> families)
    {
        var first = families[0];
        var help = first._help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        text.Append(CultureInfo.InvariantCulture, $"# HELP {first.Name} {help}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE {first.Name} {first._type.ToString().ToLowerInvariant()}\n");

        // A series may be in two families: the same meter made twice is one to whoever reads it.
        var series = families.SelectMany(family => family._series)
            .GroupBy(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        foreach (var group in series) MetricSeries.Write(text, first.Name, group.Key, [.. group]);
    }

    private static (MetricType Type, bool Adds) TypeOf(Instrument instrument) => instrument.GetType().Name switch
    {
        "Counter`1" => (MetricType.Counter, true),
        "ObservableCounter`1" => (MetricType.Counter, false),
        "UpDownCounter`1" => (MetricType.Gauge, true),
        "Histogram`1" => (MetricType.Histogram, false),
        _ => (MetricType.Gauge, false),
    };

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => DefaultBounds,
    };
}

/// <summary>Prometheus' types. The names in lower case are what a TYPE line says.</summary>
internal enum MetricType
{
    Counter,
    Gauge,
    Histogram,
}
