using System.Globalization;
using SipNat.Endpoint.Calls;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary>What <c>call</c> and <c>answer</c> print for people: a table, and one sentence for each direction.</summary>
internal static class CallText
{
    public static void Print(TextWriter output, CallReport report, CallSnapshot? call)
    {
        List<(string Name, string Value)> rows = [("result", report.Result)];
        if (report.Remote is { } remote) rows.Add(("with", remote));
        rows.Add(("answer", report.Status == 0 ? "none" : $"{report.Status}"));
        rows.Add(("why it ended", report.Reason));
        if (report.Result == "answered") rows.Add(("lasted", string.Create(CultureInfo.InvariantCulture, $"{report.DurationSeconds:F1} s")));
        if (report.Path is { } path)
        {
            rows.Add(("our address", $"{path.Local}, told as {path.Advertised ?? "nothing"} ({path.Why})"));
            rows.Add(("its address", $"{path.Remote ?? "unknown"}{(path.Ice ? ", by ICE" : path.Latched ? ", where its media come from" : "")}"));
        }

        if (report.Sent is { } sent) rows.Add(("sent", $"{sent.Packets} packets{(sent.Codec is { } codec ? $" of {codec}" : "")}"));
        if (report.Received is { } received)
        {
            rows.Add(("received", string.Create(CultureInfo.InvariantCulture, $"{received.Packets} packets{(received.Codec is { } codec ? $" of {codec}" : "")}, {received.Lost} lost, {received.JitterMs:F1} ms jitter")));
        }

        if (report.PeerReports is { Received: true } peer)
        {
            rows.Add(("it reports", string.Create(CultureInfo.InvariantCulture, $"{peer.PacketsLost} lost, {peer.JitterMs:F1} ms jitter{(peer.RoundTripMs is { } trip ? $", {trip:F0} ms there and back" : "")}")));
        }

        if (report.Quality is { } quality) rows.Add(("quality", string.Create(CultureInfo.InvariantCulture, $"{quality.Mos:F1} of 4.5 (MOS), R {quality.Rating:F0}")));
        var width = rows.Max(row => row.Name.Length);
        foreach (var (name, value) in rows) output.WriteLine($"{name.PadRight(width)}  {SafeText.EscapeLines(value)}");
        foreach (var recovery in report.Recovered)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"recovered".PadRight(width)}  after {recovery.AfterSeconds:F1} s {(recovery.Direction == "outbound" ? "in which we were not heard" : "without audio")}{(recovery.From == recovery.To ? "" : $": {recovery.To} in place of {recovery.From}")}"));
        }

        foreach (var finding in report.Findings) output.WriteLine($"{"finding".PadRight(width)}  {SafeText.EscapeLines(finding.Text)}");
        if (call?.AnsweredAt is null) return;

        var verdict = CallVerdict.Of(call);
        output.WriteLine();
        output.WriteLine(Explain(verdict.Inbound));
        output.WriteLine(Explain(verdict.Outbound));
    }

    private static string Explain(InboundVerdict verdict) => verdict switch
    {
        InboundVerdict.Audio => "The other side was heard.",
        InboundVerdict.Silent => "Packets of the other side came, with nothing to be heard in them: its microphone, or its own network.",
        InboundVerdict.Held => "The other side had nothing to send: it held the call.",
        _ => "No audio of the other side came: it does not send, or its packets do not reach us. 'sipnat nat' says what our router does.",
    };

    private static string Explain(OutboundVerdict verdict) => verdict switch
    {
        OutboundVerdict.Delivered => "The other side reports our audio.",
        OutboundVerdict.Unconfirmed => "Our audio was sent; the other side does not report whether it came.",
        OutboundVerdict.Held => "Nothing of ours was to be sent: the other side held the call.",
        _ => "Our audio did not reach the other side.",
    };
}
