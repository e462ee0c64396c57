using SipNat.Server.MediaEngine;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Media</c> section.</summary>
public sealed record MediaOptions
{
    /// <summary>The internal address that RTP binds (port 0); none: the address of the interface that routes to the peer.</summary>
    public TransportAddress Address { get; init; }

    /// <summary>First RTP port; even, 1024–65534.</summary>
    public int FirstPort { get; init; } = 10000;

    /// <summary>Last port that may be used; 1025–65535.</summary>
    public int LastPort { get; init; } = 19999;

    /// <summary>Which sources may bring the audio of a stream, other than the one its SDP names.</summary>
    public MediaLatch Latch { get; init; } = MediaLatch.Signalling;

    /// <summary>How media that are encrypted are treated (RFC 4568).</summary>
    public MediaSrtp Srtp { get; init; } = MediaSrtp.Offered;

    /// <summary>Differentiated services code point of RTP and RTCP; 0–63 (RFC 2474). 46 is expedited forwarding.</summary>
    public int Dscp { get; init; } = 46;

    /// <summary>How the sockets of media are looked after.</summary>
    public MediaEngineKind Engine { get; init; } = MediaEngineKind.Auto;

    /// <summary>Threads that look after media sockets; 1–64. One for every two cores is the default: the others have the kernel, the disk and SIP.</summary>
    public int Threads { get; init; } = DefaultThreads;

    private static int DefaultThreads => Math.Clamp(Environment.ProcessorCount / 2, 1, MediaThreads.Max);

    internal static MediaOptions Read(SettingReader settings)
    {
        var options = new MediaOptions
        {
            Address = settings.Value("Media:Address", default, SettingText.LocalAddress),
            FirstPort = settings.Integer("Media:FirstPort", 10000, 1024, 65534),
            LastPort = settings.Integer("Media:LastPort", 19999, 1025, 65535),
            Latch = settings.Choice("Media:Latch", MediaLatch.Signalling),
            Srtp = settings.Choice("Media:Srtp", MediaSrtp.Offered),
            Dscp = settings.Integer("Media:Dscp", 46, 0, 63),
            Engine = settings.Choice("Media:Engine", MediaEngineKind.Auto),
            Threads = settings.Integer("Media:Threads", DefaultThreads, 1, MediaThreads.Max),
        };
        settings.Require(options.FirstPort % 2 == 0, "Media:FirstPort", "must be even: RTP takes the even port and RTCP the next one (RFC 3550 §11).");
        settings.Require(options.FirstPort < options.LastPort, "Media:LastPort", $"must be above Media:FirstPort ({options.FirstPort}).");
        return options;
    }
}

/// <summary>How media that are encrypted are treated.</summary>
public enum MediaSrtp
{
    /// <summary>RTP/SAVP is refused.</summary>
    Off,

    /// <summary>RTP/SAVP is answered, and so is RTP/AVP.</summary>
    Offered,

    /// <summary>The same, and keys that stand beside RTP/AVP are taken up.</summary>
    BestEffort,

    /// <summary>Media without a key are refused; keys that stand beside RTP/AVP are taken up.</summary>
    Required,
}

/// <summary>Which sources a stream may be latched to.</summary>
public enum MediaLatch
{
    /// <summary>Only the address in SDP.</summary>
    Off,

    /// <summary>Also the address that the signalling comes from.</summary>
    Signalling,

    /// <summary>Also any address of <c>Sip:AllowedNetworks</c>.</summary>
    Allowed,

    Any,
}
