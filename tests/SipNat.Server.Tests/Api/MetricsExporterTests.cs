using System.Diagnostics.Metrics;
using SipNat.Server.Api;

namespace SipNat.Server.Tests.Api;

public sealed class MetricsExporterTests : IDisposable
{
    private readonly Meter _meter = new($"Test.{Guid.NewGuid():N}");
    private readonly MetricsExporter _exporter;

    public MetricsExporterTests() => _exporter = new(name => name == _meter.Name);

    public void Dispose()
    {
        _exporter.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Instruments_are_written_as_prometheus_text()
    {
        var sends = _meter.CreateCounter<long>("sipnat.sip.sends", description: "Sends.\nBy outcome.");
        var open = _meter.CreateUpDownCounter<int>("sipnat.connections");
        var level = _meter.CreateGauge<double>("sipnat.level", unit: "s");
        _meter.CreateObservableGauge("sipnat.sessions", () => new[] { new Measurement<int>(2, new KeyValuePair<string, object?>("state", "recording")) });
        _meter.CreateObservableCounter("sipnat.packets", () => 1_000_000L);
        var setup = _meter.CreateHistogram("sipnat.setup", unit: "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.1] });

        sends.Add(1, new("transport", "udp"), new("out.come", "a\"b\\c\nd"));
        sends.Add(2, new("transport", "udp"), new("out.come", "a\"b\\c\nd"));
        sends.Add(4);
        open.Add(5);
        open.Add(-2);
        level.Record(1.5);
        level.Record(0.25);
        setup.Record(0.01);
        setup.Record(0.05);
        setup.Record(7);

        const string Expected = """
            # HELP sipnat_connections 
            # TYPE sipnat_connections gauge
            sipnat_connections 3
            # HELP sipnat_level_seconds 
            # TYPE sipnat_level_seconds gauge
            sipnat_level_seconds 0.25
            # HELP sipnat_packets_total 
            # TYPE sipnat_packets_total counter
            sipnat_packets_total 1000000
            # HELP sipnat_sessions 
            # TYPE sipnat_sessions gauge
            sipnat_sessions{state="recording"} 2
            # HELP sipnat_setup_seconds 
            # TYPE sipnat_setup_seconds histogram
            sipnat_setup_seconds_bucket{le="0.01"} 1
            sipnat_setup_seconds_bucket{le="0.1"} 2
            sipnat_setup_seconds_bucket{le="+Inf"} 3
            sipnat_setup_seconds_sum 7.06
            sipnat_setup_seconds_count 3
            # HELP sipnat_sip_sends_total Sends.\nBy outcome.
            # TYPE sipnat_sip_sends_total counter
            sipnat_sip_sends_total 4
            sipnat_sip_sends_total{transport="udp",out_come="a\"b\\c\nd"} 3

            """;
        Assert.Equal(Expected.ReplaceLineEndings("\n"), _exporter.Write());
    }

    [Fact]
    public void An_observed_series_that_is_gone_does_not_stay()
    {
        string[] states = ["a", "b"];
        _meter.CreateObservableGauge("sipnat.sessions", () => states.Select(state => new Measurement<int>(1, new KeyValuePair<string, object?>("state", state))));
        Assert.Contains("state=\"b\"", _exporter.Write(), StringComparison.Ordinal);

        states = ["a"];

        Assert.DoesNotContain("state=\"b\"", _exporter.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Series_have_a_cap_and_labels_a_length()
    {
        var counter = _meter.CreateCounter<int>("sipnat.flood");
        for (var i = 0; i < MetricFamily.MaxSeries + 50; i++) counter.Add(1, new KeyValuePair<string, object?>("peer", i));
        counter.Add(1, new KeyValuePair<string, object?>("peer", new string('x', 10_000)));

        Assert.Equal(MetricFamily.MaxSeries + 2, _exporter.Write().Count('\n'));
    }

    [Fact]
    public void Other_meters_are_left_out_and_the_same_meter_made_twice_is_one()
    {
        using var other = new Meter("Other");
        other.CreateCounter<int>("other").Add(1);
        using var twin = new Meter(_meter.Name);
        _meter.CreateCounter<int>("sipnat.same").Add(1);
        twin.CreateCounter<int>("sipnat.same").Add(2);

        Assert.Equal("# HELP sipnat_same_total \n# TYPE sipnat_same_total counter\nsipnat_same_total 3\n", _exporter.Write());
    }

    [Fact]
    public void A_measurement_on_a_known_series_allocates_nothing()
    {
        var counter = _meter.CreateCounter<long>("sipnat.hot");
        counter.Add(1, new("transport", "udp"), new("outcome", "sent"));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) counter.Add(1, new("transport", "udp"), new("outcome", "sent"));

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
