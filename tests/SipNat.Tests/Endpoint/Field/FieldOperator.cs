using SipNat.Simulation;
using SipNat.Simulation.Recorder;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>The recorder's operator, who pauses and resumes its one session.</summary>
internal static class FieldOperator
{
    /// <summary>Pauses and resumes so many seconds after the begin.</summary>
    public static Action<SimulatedNetwork, SimulatedRecorder> PauseAndResume(double pauseAt, double resumeAt) => (network, recorder) =>
    {
        network.After(TimeSpan.FromSeconds(pauseAt), () => Pause(recorder));
        network.After(TimeSpan.FromSeconds(resumeAt), () => Resume(recorder));
    };

    public static bool Pause(SimulatedRecorder recorder)
    {
        var isDone = false;
        recorder.Host.Run(now => isDone = recorder.Signalling.TryPause(now, recorder.Session.Id));
        return isDone;
    }

    public static bool Resume(SimulatedRecorder recorder)
    {
        var isDone = false;
        recorder.Host.Run(now => isDone = recorder.Signalling.TryResume(now, recorder.Session.Id));
        return isDone;
    }
}
