namespace SipNat.Sip.Sdp;

/// <summary>What is taken, in order of our preference (used where the offer is ours; an answer keeps the peer's order).</summary>
public sealed record SdpCapabilities(IReadOnlyList<PayloadFormat> Formats)
{
    /// <summary>G.711 both ways, comfort noise and telephone events.</summary>
    public static readonly SdpCapabilities G711 =
        new([PayloadFormat.Pcmu, PayloadFormat.Pcma, PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent]);

    /// <summary>G.711 where it is offered; the packets of any other audio where it is not.</summary>
    public static readonly SdpCapabilities Recorder = G711 with { KeepsOthers = true };

    /// <summary>Whether audio of other formats is accepted where none of <see cref="Formats"/> is offered.</summary>
    public bool KeepsOthers { get; init; }

    /// <summary>How many streams are accepted; the others are answered with port 0.</summary>
    public int MaxMedia { get; init; } = int.MaxValue;

    /// <summary>How media that are encrypted are treated.</summary>
    public SrtpMode Srtp { get; init; }

    /// <summary>The crypto suites that are taken, each with the bytes of its key and salt together.</summary>
    public IReadOnlyDictionary<string, int> CryptoSuites { get; init; } = new Dictionary<string, int>();

    public PayloadFormat? Find(SdpRtpmap map) => Formats.FirstOrDefault(format => format.Matches(map));
}
