using System.Diagnostics;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What a stream of a call does more: it plays, and is heard.</summary>
internal sealed partial class MediaStream
{
    private readonly CodecRegistry _codecs;
    private CallAudio? _audio;
    private long _arrived;
    private long _genuine;
    private long _accepted;

    private AudioStages Arrivals => new() { Arrived = _arrived, Authenticated = _genuine, Accepted = _accepted };

    /// <summary>What is played or captured.</summary>
    public void HandleAudio(MediaCommand command)
    {
        if (_isClosing || _audio is null) return;

        switch (command)
        {
            case MediaCommand.Play(_, _, var source):
                _audio.Play(source);
                break;
            case MediaCommand.SendDigits(_, _, var digits, var by):
                _audio.SendDigits(digits, by);
                break;
            case MediaCommand.CaptureAudio(_, _, var sampleRate):
                _audio.Capture(sampleRate);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void HandleDigit(TelephoneEvent key)
    {
        if (_audio is null || key.Key is not { } digit) return;

        _output.Events.Enqueue(new MediaEvent.DigitHeard(_session, _settings.Port, digit, key.Duration, DigitTransport.Events));
    }

    private void ConfigureAudio(Instant now)
    {
        if (_settings.Audio is not { } agreed) return;

        if (_audio is null) _audio = new(now, _session, _settings.Port, agreed, _codecs, _output, _sender);
        else _audio.Configure(agreed);
        _recorded.Playout = agreed.Receives ? _audio.Playout : null;
        if (_sent is null) return;

        if (PlayedFormatOf(agreed.Format) is { } format) _sent.Negotiate(agreed.PayloadType, format);
        if (agreed.ComfortNoise is { } noise) _sent.Negotiate(noise, PayloadFormat.ComfortNoise);
        _sent.IsPaused = _sessionSettings.Paused;
        _sent.Expect(now, agreed.MaySend && !_sessionSettings.Paused);
    }

    private static PayloadFormat? FormatOf(Sip.Sdp.PayloadFormat format) =>
        format.IsKept ? PayloadFormat.Packets(format.Name, format.ClockRate, format.Channels)
        : format == Sip.Sdp.PayloadFormat.Pcmu ? PayloadFormat.Audio(AudioCodec.Pcmu)
        : format == Sip.Sdp.PayloadFormat.Pcma ? PayloadFormat.Audio(AudioCodec.Pcma)
        : format == Sip.Sdp.PayloadFormat.ComfortNoise ? PayloadFormat.ComfortNoise
        : IsNamed(format, Sip.Sdp.PayloadFormat.TelephoneEvent) ? PayloadFormat.TelephoneEvent with { ClockRate = format.ClockRate }
        : null;

    // Whatever is said of it, a codec of a call is decoded where there is one.
    private static PayloadFormat? PlayedFormatOf(Sip.Sdp.PayloadFormat format) =>
        IsNamed(format, Sip.Sdp.PayloadFormat.ComfortNoise) ? PayloadFormat.ComfortNoise with { ClockRate = format.ClockRate }
        : FormatOf(format) ?? (Sip.Sdp.PayloadFormat.IsCodec(format.Name) ? PayloadFormat.Packets(format.Name, format.ClockRate, format.Channels) : null);

    private static bool IsNamed(Sip.Sdp.PayloadFormat format, Sip.Sdp.PayloadFormat other) => format.Name.Equals(other.Name, StringComparison.OrdinalIgnoreCase);
}
