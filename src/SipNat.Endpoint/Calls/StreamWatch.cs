using SipNat.Endpoint.Diagnosis;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Notices what an operator should know of one stream: no media, media that stopped, strangers, odd packets.</summary>
internal sealed class StreamWatch(int index, TimeSpan noMediaAfter)
{
    private Instant? _expectedSince;
    private Instant? _heardAt;
    private Instant? _activeUntil;
    private bool _saidSilent;
    private readonly HashSet<FindingCode> _said = [];

    /// <summary>When the stream is looked at next; null while it need not send.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>The stream is agreed on and not held, or no longer.</summary>
    public void Expect(Instant now, bool shouldSend)
    {
        if (shouldSend == _expectedSince.HasValue) return;

        _expectedSince = shouldSend ? now : null;
        _activeUntil = shouldSend ? null : now;
        _saidSilent = false;
        Deadline = shouldSend ? now + noMediaAfter : null;
    }

    public void Heard(Instant now) => (_heardAt, _saidSilent) = (now, false);

    /// <summary>The last moment at which the stream was not held.</summary>
    public Instant ActiveUntil(Instant now) => _activeUntil ?? now;

    /// <summary>A finding that was not said before, null where there is none; to be asked at <see cref="Deadline"/>.</summary>
    public Finding? Look(Instant now, StreamReport report, MediaStreamSettings settings, MediaSettings session)
    {
        Deadline = now + noMediaAfter;
        return Silence(now, report, settings, session) ?? Odd(now, report, settings);
    }

    private Finding? Silence(Instant now, StreamReport report, MediaStreamSettings settings, MediaSettings session)
    {
        var since = _heardAt > _expectedSince ? _heardAt : _expectedSince;
        if (_saidSilent || since is not { } begin || now - begin < noMediaAfter) return null;

        _saidSilent = true;
        var seconds = (now - begin).TotalSeconds;
        var strays = report.Sources.Where(s => s.Verdict is LatchVerdict.Stray).Select(s => s.Address.ToString()).ToList();
        var instead = strays.Count > 0 ? $" Packets came from {string.Join(", ", strays)}, which Media:Latch does not allow." : "";
        return _heardAt is null
            ? new(FindingCode.NoMedia, $"Stream {index + 1}: no packet in {seconds:F0} s. The peer at {session.SignallingSource.AddressText} said that it sends from {settings.RemoteRtp}.{instead}", now)
            : new(FindingCode.MediaStopped, $"Stream {index + 1}: no packet for {seconds:F0} s, though the stream is not on hold.{instead}", now);
    }

    private Finding? Odd(Instant now, StreamReport report, MediaStreamSettings settings)
    {
        if (report.Strays > 0 && _said.Add(FindingCode.StrayMedia))
        {
            var from = string.Join(", ", report.Sources.Where(s => s.Verdict is LatchVerdict.Stray).Select(s => $"{s.Address} ({s.Packets})"));
            return new(FindingCode.StrayMedia, $"Stream {index + 1}: packets from sources that may not be followed: {from}.", now);
        }

        if (report.Secondary > 0 && _said.Add(FindingCode.SecondSource))
        {
            return new(FindingCode.SecondSource, $"Stream {index + 1}: a second source sent at the same time; its packets are counted, not mixed.", now);
        }

        if (report.UnexpectedPayloads > 0 && _said.Add(FindingCode.UnknownPayloadType))
        {
            return new(FindingCode.UnknownPayloadType, $"Stream {index + 1}: packets with a payload type that was not agreed on.", now);
        }

        var elsewhere = report.Sources.FirstOrDefault(s => s.Verdict is not LatchVerdict.Stray && s.Address != settings.RemoteRtp);
        return !settings.RemoteRtp.IsNone && !elsewhere.Address.IsNone && _said.Add(FindingCode.MediaFromElsewhere)
            ? new(FindingCode.MediaFromElsewhere, $"Stream {index + 1}: media comes from {elsewhere.Address}; the peer said {settings.RemoteRtp}.", now)
            : null;
    }
}
