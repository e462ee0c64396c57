using System.Diagnostics;
using System.Net;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Siprec;

/// <summary>Notes of what came and when, and the lines shown to the user. Written by several threads.</summary>
public sealed class SessionLog(TextWriter progress)
{
    private readonly Lock _gate = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<ResponseSeen> _responses = [];
    private readonly List<RequestSeen> _requests = [];
    private readonly List<string> _answers = [];
    private readonly List<string> _defects = [];

    public double Seconds => Math.Round(_clock.Elapsed.TotalSeconds, 4);

    public void Restart() => _clock.Restart();

    public void Say(string line)
    {
        lock (_gate) progress.WriteLine($"{_clock.Elapsed.TotalSeconds,8:F3}  {line}");
    }

    public void Response(SipText response, IPEndPoint from)
    {
        lock (_gate) _responses.Add(new(response.Method, response.Status, response.Reason, from.ToString(), Seconds));
        Say($"<- {response.Status} {response.Reason} to {response.Method} from {from}");
    }

    public void Request(SipText request, IPEndPoint from, int answered)
    {
        lock (_gate) _requests.Add(new(request.Method, from.ToString(), answered, Seconds));
        Say($"<- {request.Method} from {from}" + (answered > 0 ? $", answered {answered}" : ""));
    }

    public void Answer(string sdp)
    {
        lock (_gate) _answers.Add(sdp);
    }

    public void Defect(string sentence)
    {
        lock (_gate) _defects.Add(sentence);
        Say("!! " + sentence);
    }

    public SiprecClientReport AddTo(SiprecClientReport report)
    {
        lock (_gate)
        {
            return report with
            {
                Responses = [.. _responses],
                Requests = [.. _requests],
                Answers = [.. _answers],
                Defects = [.. _defects],
                Seconds = Seconds,
            };
        }
    }
}
