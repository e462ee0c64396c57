using System.Globalization;
using SipNat.Endpoint.Diagnosis;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// Looks at one stream from time to time, and at its end: has it fallen silent, and what else is wrong with it? Each thing
/// is said once.
/// </summary>
internal sealed class StreamWatch(int index, TimeSpan noMediaAfter)
{
    private readonly HashSet<FindingCode> _said = [];
    private readonly Queue<Finding> _found = new();
    private readonly DriftWatch _drift = new();
    private Instant? _expectedSince;
    private Instant? _firstHeardAt;
    private Instant? _heardAt;
    private Instant? _activeUntil;
    private bool _saidSilent;
    private bool _wasHeld;
    private long _lost;
    private long _lostInHolds;
    private int _interruptionsSaid;

    /// <summary>When the stream is looked at next; null while it need not send.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>The stream is agreed on and not held, or no longer.</summary>
    public void Expect(Instant now, bool shouldSend)
    {
        if (shouldSend == _expectedSince.HasValue) return;

        _expectedSince = shouldSend ? now : null;
        _activeUntil = shouldSend ? null : now;
        _saidSilent = false;
        _wasHeld |= !shouldSend;
        Deadline = shouldSend ? now + noMediaAfter : null;
    }

    public void Heard(Instant now) => (_firstHeardAt, _heardAt, _saidSilent) = (_firstHeardAt ?? now, now, false);

    /// <summary>The last moment at which the stream was not held.</summary>
    public Instant ActiveUntil(Instant now) => _activeUntil ?? now;

    /// <summary>For how long the stream has been silent, where that is too long; told once until it is heard again.</summary>
    /// <param name="heardFor">From its first packet to its last; null where it never brought one.</param>
    public TimeSpan? TakeSilence(Instant now, out TimeSpan? heardFor)
    {
        heardFor = _heardAt - _firstHeardAt;
        var since = _heardAt > _expectedSince ? _heardAt : _expectedSince;
        if (_saidSilent || since is not { } begin || now - begin < noMediaAfter) return null;

        _saidSilent = true;
        return now - begin;
    }

    /// <summary>Looks for what is wrong, at <see cref="Deadline"/> and at the end.</summary>
    public void Look(StreamEvidence evidence)
    {
        if (Deadline is not null) Deadline = evidence.At + noMediaAfter;
        foreach (var finding in StreamRules.Find(evidence with { LostInHolds = CountHolds(evidence.Report.Lost) }))
        {
            if (_said.Add(finding.Code)) _found.Enqueue(finding);
        }

        foreach (var interruption in StreamRules.FindInterruptions(evidence).Skip(_interruptionsSaid))
        {
            _interruptionsSaid++;
            _found.Enqueue(interruption);
        }

        LookAtClock(evidence);
    }

    /// <summary>Takes what was found and not said before.</summary>
    public bool TryTake(out Finding finding) => _found.TryDequeue(out finding!);

    // Some senders count on while they are held: what is missing between two looks with a hold in between says nothing.
    private long CountHolds(long lost)
    {
        if (_wasHeld) _lostInHolds += lost - _lost;
        (_lost, _wasHeld) = (lost, _expectedSince is null);
        return _lostInHolds;
    }

    private void LookAtClock(StreamEvidence evidence)
    {
        if (_heardAt is not { } heardAt || _said.Contains(FindingCode.ClockDrift)) return;
        if (_drift.Observe(heardAt, evidence.Report.Drift, evidence.Report.AnchorCount) is not { } drift) return;

        _said.Add(FindingCode.ClockDrift);
        var pace = drift.Total < TimeSpan.Zero ? "slow" : "fast";
        _found.Enqueue(new(
            FindingCode.ClockDrift,
            string.Create(CultureInfo.InvariantCulture, $"Stream {index + 1}: the sender's clock is {Math.Abs(drift.PartsPerMillion):F0} parts in a million {pace}: {drift.Total.Duration().TotalMilliseconds:F0} ms in {drift.Span.TotalSeconds:F0} s. The file follows it, so that its length is not the time that passed. Correct the clock of the device that sends."),
            evidence.At));
    }
}
