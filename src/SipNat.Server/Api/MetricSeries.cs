using System.Globalization;
using System.Text;

namespace SipNat.Server.Api;

/// <summary>The value of one instrument for one set of tags. Thread safe.</summary>
/// <param name="bounds">Upper bounds of a histogram's buckets, rising; empty for other instruments.</param>
internal sealed class MetricSeries(double[] bounds)
{
    private readonly Lock _gate = new();
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private double _value;
    private long _count;

    public void Add(double change)
    {
        lock (_gate) _value += change;
    }

    public void Set(double value)
    {
        lock (_gate) _value = value;
    }

    public void Observe(double value)
    {
        lock (_gate)
        {
            _value += value;
            _count++;
            var bucket = bounds.AsSpan().BinarySearch(value);
            _buckets[bucket < 0 ? ~bucket : bucket]++;
        }
    }

    /// <summary>Writes the sum of several series with the same labels.</summary>
    public static void Write(StringBuilder text, string name, string labels, IReadOnlyList<MetricSeries> parts)
    {
        var total = new MetricSeries(parts[0].Bounds);
        foreach (var part in parts) total.Include(part);

        var braced = labels.Length == 0 ? "" : $"{{{labels}}}";
        if (total.Bounds.Length == 0)
        {
            WriteLine(text, name, braced, total._value);
            return;
        }

        var prefix = labels.Length == 0 ? "" : $"{labels},";
        var below = 0L;
        for (var i = 0; i < total._buckets.Length; i++)
        {
            below += total._buckets[i];
            var bound = i < total.Bounds.Length ? Number(total.Bounds[i]) : "+Inf";
            WriteLine(text, $"{name}_bucket", $"{{{prefix}le=\"{bound}\"}}", below);
        }

        WriteLine(text, $"{name}_sum", braced, total._value);
        WriteLine(text, $"{name}_count", braced, total._count);
    }

    private double[] Bounds => bounds;

    private void Include(MetricSeries other)
    {
        lock (other._gate)
        {
            _value += other._value;
            _count += other._count;
            for (var i = 0; i < Math.Min(_buckets.Length, other._buckets.Length); i++) _buckets[i] += other._buckets[i];
        }
    }

    private static void WriteLine(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append(labels).Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
