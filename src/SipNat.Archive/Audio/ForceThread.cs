namespace SipNat.Archive.Audio;

/// <summary>The thread that waits for the medium, so that no other has to.</summary>
internal sealed class ForceThread
{
    private readonly ForceSchedule _schedule;
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ForceThread(ForceSchedule schedule, TimeProvider clock)
    {
        (_schedule, _clock) = (schedule, clock);
        new Thread(Run) { Name = "audio medium", IsBackground = true }.Start();
    }

    /// <summary>Completes when the schedule was completed, and all of it is done.</summary>
    public Task Ended => _ended.Task;

    private void Run()
    {
        while (_schedule.Wait()) _schedule.RunDue(_clock.GetTimestamp());
        _ended.SetResult();
    }
}
