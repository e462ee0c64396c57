using System.Diagnostics.Metrics;
using SipNat.Archive.Audio;
using SipNat.Endpoint;
using SipNat.Server.MediaEngine;

namespace SipNat.Server.Hosting;

/// <summary>What <c>/metrics</c> says of the recorder.</summary>
internal sealed class RecorderMetrics : IDisposable
{
    private readonly Meter _meter = new("SipNat.Recorder");

    public RecorderMetrics(SignallingCore core, MediaThreads media, LifetimeWatch lifetimes, AudioFileWriter writer, LoadWatch load)
    {
        Gauge("sipnat.sessions", () => core.Sessions, "Recording sessions that are not over.");
        Counter("sipnat.sessions.begun", () => core.Counters.Begun, "Recording sessions that began.");
        Counter("sipnat.sessions.ended", () => core.Counters.Ended, "Recording sessions that are over.");
        Counter("sipnat.sessions.unrecordable", () => core.Counters.Unrecordable, "INVITEs in which nothing could be recorded.");
        Counter("sipnat.sessions.overloaded", () => core.Counters.Overloaded, "INVITEs turned away (full, full for this peer, overloaded, draining), and requests of dialogs that bring too many.");
        Gauge("sipnat.overloaded", () => load.IsOverloaded ? 1 : 0, "1 while no session is begun, as the disk, memory or processor time for those that run is short.");
        Counter("sipnat.sip.refused", () => core.Counters.Refused, "Requests from outside Sip:AllowedNetworks.");
        Counter("sipnat.sip.refused.unanswered", () => core.RefusalsDropped, "Messages outside a session, malformed ones too, left unanswered for their number.");
        Counter("sipnat.sip.requests", () => core.TransactionCounters.Requests, "SIP requests that began a transaction.");
        Counter("sipnat.sip.retransmissions", () => core.TransactionCounters.RequestRetransmissions, "SIP requests that came again.");
        Counter("sipnat.sip.malformed", () => core.TransactionCounters.Malformed, "SIP messages that could not be acted on.");
        Counter("sipnat.stun.answered", () => core.BindingsAnswered, "STUN Binding requests of peers that were answered on SIP sockets.");
        Seconds("sipnat.nat.keepalive", () => lifetimes.Bound, "Upper bound of the time between two packets that keep a mapping alive.");
        Seconds("sipnat.nat.mapping.lifetime", () => lifetimes.Lifetime, "How long the NAT keeps a silent mapping, as it was measured, at least.");
        Counter("sipnat.nat.mappings.ended", () => core.MappingsEnded + media.MappingsEnded, "Mappings that the NAT let end between two packets that were to keep them.");
        Gauge("sipnat.accounts.registered", () => core.AccountsRegistered, "Accounts that are registered.");
        Gauge("sipnat.media.threads", () => media.Count, "Threads that look after media sockets.");
        Gauge("sipnat.media.threads.streams", () => media.Streams.Max(), "Streams of the thread that has most.");
        Gauge("sipnat.media.sockets", () => media.Sockets, "Media sockets that are open.");
        Gauge("sipnat.media.sockets.swept", () => media.Swept, "Media sockets that are visited in turn, as each carries a steady recording.");
        Gauge("sipnat.media.queue", () => media.Queued, "Commands that wait for the media threads.");
        Seconds("sipnat.media.lateness", () => media.TakeLateness(), "The longest time since the last look at this figure by which a media thread was late.");
        Time("sipnat.media.cpu", () => media.CpuTime, "What the media threads have run on a core; with the datagrams received, what one of them costs.");
        Counter("sipnat.media.overflowed", () => media.Overflowed, "Datagrams that came while the queue of their socket was full.");
        Drops("sipnat.kernel.backlog.dropped", () => KernelDrops.Backlog, "Packets of the whole machine that the kernel's backlog (net.core.netdev_max_backlog) had no room for.");
        Counter("sipnat.media.received", () => media.Received, "Datagrams received on media sockets.");
        Counter("sipnat.media.sent", () => media.Sent, "Datagrams sent on media sockets.");
        Counter("sipnat.media.sends.failed", () => media.SendsFailed, "Datagrams that the kernel refused to send.");
        Counter("sipnat.media.unowned", () => media.Unowned, "Datagrams on media sockets that belonged to no session.");
        Counter("sipnat.audio.written", () => writer.BytesWritten, "Bytes of audio written.", "By");
        Counter("sipnat.audio.refused", () => writer.Refused, "Buffers of audio that could not be written.");
        Gauge("sipnat.audio.waiting", () => writer.Waiting, "Buffers of audio that wait for the disk.");
    }

    public void Dispose() => _meter.Dispose();

    private void Gauge(string name, Func<long> value, string description) =>
        _meter.CreateObservableGauge(name, value, description: description);

    // What is not known has no series.
    private void Seconds(string name, Func<TimeSpan?> value, string description) => _meter.CreateObservableGauge(
        name, () => value() is { } known ? [new(known.TotalSeconds)] : Array.Empty<Measurement<double>>(), "s", description);

    private void Time(string name, Func<TimeSpan?> value, string description) => _meter.CreateObservableCounter(
        name, () => value() is { } known ? [new(known.TotalSeconds)] : Array.Empty<Measurement<double>>(), "s", description);

    private void Drops(string name, Func<long?> value, string description) => _meter.CreateObservableCounter(
        name, () => value() is { } known ? [new(known)] : Array.Empty<Measurement<long>>(), description: description);

    private void Counter(string name, Func<long> value, string description, string? unit = null) =>
        _meter.CreateObservableCounter(name, value, unit, description);
}
