using System.Net;
using SipNat.Bench.Audio;

namespace SipNat.Bench.Siprec;

/// <summary>What one recording session of the client does.</summary>
public sealed record SiprecClientOptions
{
    /// <summary>Where the INVITE is sent.</summary>
    public required IPEndPoint Server { get; init; }

    public SipTransport Transport { get; init; } = SipTransport.Udp;

    /// <summary>Address the sockets bind; null takes the one that routes to the server.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Local SIP port; 0 takes a free one.</summary>
    public int SipPort { get; init; }

    /// <summary>First RTP port, even; each stream takes two. 0 takes free ones.</summary>
    public int RtpPort { get; init; }

    /// <summary>Address put into Via, Contact and SDP in place of the local one.</summary>
    public IPAddress? AdvertisedAddress { get; init; }

    /// <summary>Contact keeps the local address although <see cref="AdvertisedAddress"/> is set.</summary>
    public bool PrivateContact { get; init; }

    /// <summary>Number of labelled audio streams, 1 to 16.</summary>
    public int Streams { get; init; } = 2;

    /// <summary>How long audio is sent, hold included.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    public G711Variant Codec { get; init; } = G711Variant.Pcmu;

    /// <summary>WAV files for the streams in order; streams without one get generated sound.</summary>
    public IReadOnlyList<string> Play { get; init; } = [];

    /// <summary>Seed of generated sound, SSRCs and first timestamps.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>When the session is held (a=inactive), from the start of the audio.</summary>
    public TimeSpan? HoldAt { get; init; }

    /// <summary>The first offer is inactive, as some border controllers do; <see cref="ResumeAt"/> starts the audio.</summary>
    public bool StartInactive { get; init; }

    /// <summary>When the held session sends again, from the start of the audio.</summary>
    public TimeSpan? ResumeAt { get; init; }

    /// <summary>When every stream moves to another port by re-INVITE, from the start of the audio.</summary>
    public TimeSpan? MoveAt { get; init; }

    /// <summary>How often CRLFCRLF is sent on the SIP flow (RFC 5626 §3.5.1); null for never.</summary>
    public TimeSpan? Keepalive { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Sends RTCP sender reports beside each stream.</summary>
    public bool Rtcp { get; init; } = true;

    /// <summary>After the audio the client waits for the recorder's BYE, at most this long, before it sends its own.</summary>
    public TimeSpan? WaitForBye { get; init; }

    /// <summary>Asks for a session timer (RFC 4028) of this length, refreshed by the recorder.</summary>
    public TimeSpan? SessionExpires { get; init; }

    /// <summary>How long the INVITE may stay without a final response (Timer B, RFC 3261 §17.1.1.2).</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(32);

    /// <summary>Call-ID of the recording dialog; null makes one.</summary>
    public string? CallId { get; init; }

    /// <summary>Folder for the exact payload of each stream and <c>sent.json</c>; null writes nothing.</summary>
    public string? SentDirectory { get; init; }
}

/// <summary>What carries SIP between client and recorder.</summary>
public enum SipTransport { Udp, Tcp }
