using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What signalling tells the owner of the media sockets. The set is closed: switch over it.</summary>
public abstract record MediaCommand(SessionId Session)
{
    /// <summary>Opens a session with pairs of ports on one internal address; answered by <see cref="MediaEvent.Opened"/>.</summary>
    /// <param name="Local">The internal address; its port is ignored.</param>
    /// <param name="Ports">How many pairs, one for each accepted medium.</param>
    public sealed record Open(SessionId Session, TransportAddress Local, int Ports) : MediaCommand(Session);

    /// <summary>More pairs for a session that is open; answered by <see cref="MediaEvent.Opened"/> with all of them.</summary>
    public sealed record AddPorts(SessionId Session, int Ports) : MediaCommand(Session);

    /// <summary>
    /// Looks for more ways to the peer by one port, ICE and relays; where ICE was begun there, begins it anew. What is found
    /// is told by <see cref="MediaEvent.AddressesChanged"/>.
    /// </summary>
    /// <param name="Port">Its place among the ports of the session, which need not be open yet.</param>
    public sealed record Gather(SessionId Session, int Port, PathNeeds Needs) : MediaCommand(Session);

    /// <summary>What was negotiated, at the answer and at every change of it.</summary>
    public sealed record Configure(SessionId Session, MediaSettings Settings) : MediaCommand(Session);

    /// <summary>What a call sends from here on; silence before. For a stream that has <see cref="MediaStreamSettings.Audio"/>, or will.</summary>
    public sealed record Play(SessionId Session, int Port, AudioSource Source) : MediaCommand(Session);

    /// <summary>Sends digits, behind those that wait.</summary>
    /// <param name="Digits">0–9, *, #, A–D, and a comma for a pause of half a second.</param>
    public sealed record SendDigits(SessionId Session, int Port, string Digits, DigitTransport By = DigitTransport.Events) : MediaCommand(Session);

    /// <summary>
    /// Hands out both directions of a call from here on, by <see cref="MediaPlane.TryTakeCapture"/>: 50 blocks a second
    /// without gaps, whatever codecs follow each other.
    /// </summary>
    /// <param name="SampleRate">Of the blocks: 8000, 16000 or another multiple of 100.</param>
    public sealed record CaptureAudio(SessionId Session, int Port, int SampleRate) : MediaCommand(Session);

    /// <summary>Sends what opens the way to the peer at once, and asks STUN servers how each port is seen.</summary>
    public sealed record KeepOpen(SessionId Session) : MediaCommand(Session);

    /// <summary>Ends the session: files are completed, ports closed; answered by <see cref="MediaEvent.Closed"/>.</summary>
    /// <param name="PeerIsGone">Nobody said goodbye: the streams were active until they were last heard, not until now.</param>
    public sealed record Close(SessionId Session, bool PeerIsGone) : MediaCommand(Session);
}
