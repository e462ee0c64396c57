using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.NatLab.Ice;

/// <summary>What an <see cref="IceDriver"/> prints: a line of JSON for each thing that happened, and one in the end.</summary>
internal sealed class IceReport(TextWriter output)
{
    private Instant _begun;
    private Instant? _lastReceived;
    private TimeSpan _longestGap;
    private int _sent;
    private int _received;

    /// <summary>Both descriptions are known: what times are counted from.</summary>
    public void Begin(Instant now) => _begun = now;

    public void Gathered(TimeSpan took) => Print(new("gathered") { Ms = Milliseconds(took) });

    public void Path(Instant now, IcePath path) => Print(Of("path", now, path));

    public void Connected(Instant now, IcePath path) => Print(Of("connected", now, path));

    /// <summary>How long nothing had come when the path was given up.</summary>
    public void Lost(Instant now) => Print(new("lost") { Ms = Milliseconds(now - (_lastReceived ?? _begun)) });

    public void Restarted(Instant now) => Print(new("restart") { Ms = Milliseconds(now - (_lastReceived ?? _begun)) });

    public void Failed(Instant now) => Print(new("failed") { Ms = Milliseconds(now - _begun) });

    public void Sent() => _sent++;

    public void Received(Instant now)
    {
        _received++;
        if (_lastReceived is { } last && now - last > _longestGap) _longestGap = now - last;
        _lastReceived = now;
    }

    public void Summarize() => Print(new("summary") { Sent = _sent, Received = _received, LongestGapMs = Milliseconds(_longestGap) });

    private IceReportLine Of(string what, Instant now, IcePath path) =>
        new(what) { Ms = Milliseconds(now - _begun), Local = $"{path.Local.Type.Token} {path.Local.Address}", Remote = $"{path.Peer.Type.Token} {path.Remote}" };

    private void Print(IceReportLine line)
    {
        output.WriteLine(JsonSerializer.Serialize(line, IceReportJson.Default.IceReportLine));
        output.Flush();
    }

    private static double Milliseconds(TimeSpan span) => double.Parse(span.TotalMilliseconds.ToString("F1", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}

/// <summary>One line. Times are milliseconds since both descriptions were known, or since media came last.</summary>
internal sealed record IceReportLine(string Event)
{
    public double? Ms { get; init; }

    public string? Local { get; init; }

    public string? Remote { get; init; }

    public int? Sent { get; init; }

    public int? Received { get; init; }

    public double? LongestGapMs { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IceReportLine))]
internal sealed partial class IceReportJson : JsonSerializerContext;
