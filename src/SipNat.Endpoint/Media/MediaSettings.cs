using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What signalling knows of a session's media.</summary>
/// <param name="SignallingSource">Where the peer's requests come from; until media has come, packets go nowhere else.</param>
/// <param name="Acknowledged">Whether the dialog is confirmed by an ACK.</param>
/// <param name="Paused">Whether what arrives is not to be recorded.</param>
/// <param name="Streams">One for each medium that was accepted at some time, by rising <see cref="MediaStreamSettings.Port"/>.</param>
public sealed record MediaSettings(
    TransportAddress SignallingSource,
    bool Acknowledged,
    bool Paused,
    IReadOnlyList<MediaStreamSettings> Streams);
