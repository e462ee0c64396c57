using System.Diagnostics;

namespace SipNat.Sip.Sdp;

/// <summary>Which way media flows, seen from the side that wrote the description (RFC 8866 §6.7).</summary>
public enum SdpDirection
{
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

public static class SdpDirections
{
    extension(SdpDirection direction)
    {
        public bool Sends => direction is SdpDirection.SendRecv or SdpDirection.SendOnly;

        public bool Receives => direction is SdpDirection.SendRecv or SdpDirection.RecvOnly;

        /// <summary>The attribute's name.</summary>
        public string Text => direction switch
        {
            SdpDirection.SendRecv => "sendrecv",
            SdpDirection.SendOnly => "sendonly",
            SdpDirection.RecvOnly => "recvonly",
            SdpDirection.Inactive => "inactive",
            _ => throw new UnreachableException(),
        };
    }

    public static bool TryRead(string name, out SdpDirection direction)
    {
        foreach (var candidate in Enum.GetValues<SdpDirection>())
        {
            if (!string.Equals(candidate.Text, name, StringComparison.OrdinalIgnoreCase)) continue;

            direction = candidate;
            return true;
        }

        direction = default;
        return false;
    }
}
