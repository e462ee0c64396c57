namespace SipNat.Sip.Sdp;

/// <summary>
/// The <c>o=</c> line (RFC 8866 §5.2). The numbers stay text: peers send more digits than fit in 64 bits.
/// </summary>
public sealed record SdpOrigin(string Username, string SessionId, string SessionVersion, SdpConnection Address)
{
    /// <summary>Whether both describe the same session: all but the version agree.</summary>
    public bool IsSameSession(SdpOrigin other) =>
        Username == other.Username && SessionId == other.SessionId && Address == other.Address;
}
