using SipNat.Media.Playout;
using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Media;

/// <summary>What was agreed on for the audio of a call. What may come is in the stream's map of payload types.</summary>
/// <param name="PayloadType">With which our audio is sent, 0–127.</param>
/// <param name="Format">What it is encoded by; it sets the sample rate of what is heard too.</param>
public sealed record CallAudioSettings(int PayloadType, PayloadFormat Format)
{
    /// <summary>What of speech goes into one packet: 10 to 60 ms, in whole tens (<c>a=ptime</c>, RFC 8866 §6.4).</summary>
    public TimeSpan PacketTime { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>With which events are sent; null where they were not agreed on, and digits go in band.</summary>
    public TelephoneEventFormat? TelephoneEvent { get; init; }

    /// <summary>With which comfort noise is sent in the place of silence (RFC 3389); null where it was not agreed on.</summary>
    public int? ComfortNoise { get; init; }

    /// <summary>By the direction that was agreed on: false while the peer holds us.</summary>
    public bool MaySend { get; init; } = true;

    /// <summary>By the direction that was agreed on: what comes all the same is not played.</summary>
    public bool Receives { get; init; } = true;

    /// <summary>Both directions go into files, as those of a recording session do. It stays so for the whole call.</summary>
    public bool IsKept { get; init; }

    /// <summary>The peer asked for VoIP metrics (<c>a=rtcp-xr:voip-metrics</c>, RFC 3611 §5.1).</summary>
    public bool SendsMetrics { get; init; }

    /// <summary>How long what is heard waits.</summary>
    public PlayoutOptions Playout { get; init; } = new();
}

/// <summary>How events are sent (RFC 4733).</summary>
/// <param name="PayloadType">0–127.</param>
/// <param name="ClockRate">That of the audio, as RFC 4733 §2.1 has it; a peer that agreed on another one gets it.</param>
public sealed record TelephoneEventFormat(int PayloadType, int ClockRate = 8000);
