using SipNat.Bench.Siprec;

namespace SipNat.Bench.Commands;

/// <summary>A report for people.</summary>
internal static class ReportText
{
    public static void Write(TextWriter output, SiprecClientReport report)
    {
        output.WriteLine(Verdict(report));
        foreach (var stream in report.Streams) WriteStream(output, stream);
        foreach (var request in report.Requests) output.WriteLine($"  asked by the recorder: {request.Method} from {request.From}, answered {request.Answered}");
        foreach (var defect in report.Defects) output.WriteLine($"  defect: {defect}");
    }

    private static string Verdict(SiprecClientReport report) => report.Result switch
    {
        SiprecOutcome.Recorded => $"Recorded: {report.Server} answered {report.Status} after {report.AnswerMilliseconds} ms; ended by {EndedBy(report)} after {report.Seconds:F1} s.",
        SiprecOutcome.Rejected => $"Rejected: {report.Server} answered {report.Status} {report.Reason}. {report.Warning}",
        SiprecOutcome.NoAnswer => $"No answer from {report.Server}. Is the recorder running, and is the port open?",
        SiprecOutcome.Cancelled => "Interrupted before an answer came.",
        _ => "The session failed.",
    };

    private static string EndedBy(SiprecClientReport report) => report.EndedBy switch
    {
        SessionEnd.Client => "the client",
        SessionEnd.Recorder => "the recorder",
        _ => "nobody (BYE was not answered)",
    };

    private static void WriteStream(TextWriter output, StreamSent stream)
    {
        var seconds = stream.Segments.Sum(segment => segment.Frames) * 0.02;
        output.WriteLine($"  stream {stream.Label}: {stream.Packets} packets ({seconds:F2} s, {stream.Codec}) from {stream.Local} to {stream.Destination ?? "nowhere (refused)"}");
        foreach (var source in stream.RtpReceived) output.WriteLine($"    received on its RTP port: {source.Packets} packets from {source.From}");
        foreach (var source in stream.RtcpReceived) output.WriteLine($"    received on its RTCP port: {source.Packets} packets from {source.From}");
    }
}
