using SipNat.Media.Codecs;
using SipNat.Media.Playout;
using SipNat.Media.Rtcp;
using SipNat.Media.Streams;
using SipNat.Media.Tones;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// The audio of a call in one clock: each tick plays what has come of the peer, makes what is sent, and hands out both
/// where they are captured. A tick is due so long after the one before, whenever it is done.
/// </summary>
internal sealed class CallAudio : IDisposable
{
    /// <summary>Ticks that are made up for when this thread was late; those of a longer pause are skipped.</summary>
    private const int MaxLateTicks = 10;

    // A key in band this soon after its event, or in it, is the same key.
    private static readonly TimeSpan SameKey = TimeSpan.FromSeconds(0.5);

    private const int TenMilliseconds = 100;

    // Between words there is less; whoever has just begun to listen gets packets enough to know us by.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(0.2);

    // Sooner than any listener takes a silence for a fault, and any NAT for an end.
    private static readonly TimeSpan NoiseInterval = TimeSpan.FromSeconds(0.5);

    // In -dBov (RFC 3389 §3.1): a quiet room.
    private static readonly byte[] NoiseLevel = [75];

    private readonly SessionId _session;
    private readonly int _port;
    private readonly MediaOutput _output;
    private readonly CodecRegistry _codecs;
    private readonly StreamSender _sender;
    private CallAudioSettings _settings;
    private AudioSource _source = new AudioSource.Silence();
    private AudioSourceReader _reader;
    private readonly DigitSender _digits = new();
    private readonly byte[] _event = new byte[DigitSender.EventLength];
    private uint _eventTimestamp;
    private DtmfDetector _detector;
    private AudioCapture? _capture;
    private IAudioEncoder? _encoder;
    private short[] _heard = [];
    private short[] _ours = [];
    private short[] _packet = [];
    private byte[] _payload = [];
    private int _packed;
    private TimeSpan _quietFor;
    private TimeSpan _noiseIn;
    private TimeSpan _tick;
    private TimeSpan _packetTime;
    private Instant _due;
    private long _silent;
    private long _audible;
    private Instant? _audibleAt;

    public CallAudio(Instant now, SessionId session, int port, CallAudioSettings settings, CodecRegistry codecs, MediaOutput output, StreamSender sender)
    {
        (_session, _port, _settings, _codecs, _output, _sender) = (session, port, settings, codecs, output, sender);
        Rate = 0;
        _due = now;
        _reader = new(_source, TenMilliseconds);
        _detector = new(AudioCodec.Pcmu.ClockRate);
        Playout = Begin(settings);
    }

    /// <summary>What has come of the peer and waits to be played.</summary>
    public PlayoutBuffer Playout { get; private set; }

    public Instant? Deadline => _due;

    /// <summary>Samples per second of both directions.</summary>
    private int Rate { get; set; }

    private int BlockLength => Rate / TenMilliseconds * (_tick.Milliseconds / 10);

    public void Configure(CallAudioSettings settings)
    {
        var isSameCodec = settings.Format == _settings.Format && settings.Playout == _settings.Playout;
        var isSamePacket = isSameCodec && settings.PacketTime == _settings.PacketTime;
        _settings = settings;
        if (settings.TelephoneEvent is null) _digits.LeaveOutEvents();
        if (isSamePacket) return;

        if (isSameCodec) SetLengths();
        else Playout = Begin(settings);
    }

    public void Play(AudioSource source)
    {
        _source = source;
        _reader = new(source, Rate);
    }

    /// <summary>Sends digits, behind those that wait.</summary>
    public void SendDigits(string digits, DigitTransport by) =>
        _digits.Add(digits, _settings.TelephoneEvent is null ? DigitTransport.InBand : by);

    /// <summary>Hands out both directions from here on.</summary>
    public void Capture(int sampleRate) => _capture ??= new(_session, _port, sampleRate, _output.Captures);

    /// <summary>Does the ticks that are due.</summary>
    public void HandleTimeout(Instant now)
    {
        for (var made = 0; _due <= now; made++)
        {
            if (made == MaxLateTicks)
            {
                Skip(now);
                return;
            }

            Tick(now, _due);
            _due += _tick;
        }
    }

    public CallAudioReport Report(RtpReceiver receiver, AudioStages arrivals) => CallQuality.Report(new()
    {
        PacketsSent = _sender.AudioSent,
        OctetsSent = _sender.AudioOctets,
        CodecSent = _encoder is null ? null : _settings.Format.Name,
        CodecReceived = Playout.LastFormat is { } format ? format.EncodingName ?? format.Codec.EncodingName : null,
        Playout = Playout.Counts,
        Jitter = receiver.Jitter,
        Delay = Playout.Delay,
        SilentBlocks = _silent,
        AudibleBlocks = _audible,
        LastAudibleAt = _audibleAt,
        CapturesRefused = _capture?.Refused ?? 0,
        Stages = arrivals with { Sent = _sender.AudioSent, ReceivedByPeer = _sender.ReceivedByPeer, Decoded = Playout.Counts.Played, Audible = _audible },
    }, _sender, Playout, _packetTime);

    /// <summary>What is told of what was heard; null where the peer did not ask for it.</summary>
    public VoipMetrics? Metrics(RtpReceiver receiver) =>
        _settings.SendsMetrics && receiver.RecordedSsrc is { } ssrc ? CallQuality.Metrics(ssrc, Report(receiver, default), Playout, _packetTime) : null;

    public void Dispose()
    {
        _encoder?.Dispose();
        Playout.Dispose();
    }

    private PlayoutBuffer Begin(CallAudioSettings settings)
    {
        _encoder?.Dispose();
        _encoder = _codecs.TryCreateEncoder(settings.Format.Name, settings.Format.ClockRate, settings.Format.Channels);
        var rate = _encoder?.SampleRate ?? AudioCodec.Pcmu.ClockRate;
        if (rate != Rate) (Rate, _reader, _detector) = (rate, new(_source, rate), new(rate));
        SetLengths();
        _sender.AudioClockRate = settings.Format.ClockRate;
        Playout?.Dispose();
        return new(_codecs, rate, settings.Playout);
    }

    // A tick is 20 ms, and 10 ms where a packet is no multiple of that.
    private void SetLengths()
    {
        var tens = Math.Clamp((int)Math.Round(_settings.PacketTime.TotalMilliseconds / 10), 1, 6);
        while (tens > 1 && _encoder?.CanEncode(Rate / TenMilliseconds * tens) is false) tens--;
        _packetTime = TimeSpan.FromMilliseconds(10 * tens);
        _tick = TimeSpan.FromMilliseconds(tens % 2 == 0 ? 20 : 10);
        (_heard, _ours) = (new short[BlockLength], new short[BlockLength]);
        _packet = new short[Rate / TenMilliseconds * tens];
        _payload = new byte[_encoder?.MaxPayload(_packet.Length) ?? 0];
        _packed = 0;
    }

    private void Tick(Instant now, Instant due)
    {
        Playout.Take(due, _heard);
        if (AudioLevel.Of(_heard) < AudioLevel.SilentBelow) _silent++;
        else (_audible, _audibleAt) = (_audible + 1, due);
        Listen(due);

        // What cannot be sent yet is not begun.
        var maySend = _settings.MaySend && _encoder is not null && _sender.MaySendAudio;
        if (maySend) Make();
        else _ours.AsSpan().Clear();

        _ours.CopyTo(_packet, _packed);
        _packed += _ours.Length;
        if (_packed == _packet.Length) Send(now, maySend);
        _capture?.Add(Rate, _ours, _heard);
        if (_reader.TakeEnded()) _output.Events.Enqueue(new MediaEvent.PlayEnded(_session, _port));
    }

    private void Make()
    {
        _reader.Fill(_ours, _heard);
        _digits.Fill(_ours, Rate, _tick);
    }

    private void Listen(Instant due)
    {
        _detector.Process(_heard);
        while (_detector.TryTake(out var heard))
        {
            // Some senders let the tone begin before they send its event: it is one key.
            if (Playout.LastEventAt > due - Playout.Delay - heard.Duration - SameKey) continue;

            _output.Events.Enqueue(new MediaEvent.DigitHeard(_session, _port, heard.Key, heard.Duration, DigitTransport.InBand));
        }
    }

    private void Send(Instant now, bool maySend)
    {
        _packed = 0;
        var duration = (int)((long)_packet.Length * _settings.Format.ClockRate / Rate);
        if (!maySend)
        {
            _sender.SkipAudio(duration);
            return;
        }

        if (_settings.TelephoneEvent is { } events && _digits.TryMakeEvent(_packetTime, events.ClockRate, _event, out var isFirst))
        {
            if (isFirst) _eventTimestamp = _sender.AudioTimestamp;
            _sender.SendEvent(events.PayloadType, _event, _eventTimestamp, isFirst);
            _sender.SkipAudio(duration);
            return;
        }

        if (TrySendNoise(now, duration)) return;

        var length = _encoder!.Encode(_packet, _payload);
        if (length == 0) _sender.SkipAudio(duration);
        else _sender.TrySendAudio(now, _settings.PayloadType, _payload.AsSpan(0, length), duration);
    }

    // Nothing but zeros for some time is nothing that anybody wants to hear: a packet now and then says so.
    private bool TrySendNoise(Instant now, int duration)
    {
        var isSilent = !_packet.AsSpan().ContainsAnyExcept((short)0);
        _quietFor = isSilent ? _quietFor + _packetTime : TimeSpan.Zero;
        if (_settings.ComfortNoise is not { } payloadType || _quietFor <= LongestPause)
        {
            _noiseIn = TimeSpan.Zero;
            return false;
        }

        var isDue = _noiseIn <= TimeSpan.Zero;
        _noiseIn = (isDue ? NoiseInterval : _noiseIn) - _packetTime;
        if (isDue) _sender.TrySendAudio(now, payloadType, NoiseLevel, duration, isNoise: true);
        else _sender.SkipAudio(duration);
        return true;
    }

    private void Skip(Instant now)
    {
        var missed = (now - _due).Ticks / _tick.Ticks;
        var span = _tick * missed;
        _due += span;
        _sender.SkipAudio((int)(span.Ticks * _settings.Format.ClockRate / TimeSpan.TicksPerSecond));
        Playout.Skip(span);
    }
}
