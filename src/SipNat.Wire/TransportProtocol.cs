namespace SipNat.Wire;

/// <summary>What carries the messages of a flow.</summary>
public enum TransportProtocol
{
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

public static class TransportProtocols
{
    extension(TransportProtocol protocol)
    {
        /// <summary>False only for UDP: nothing is lost, doubled or reordered, so nothing is retransmitted.</summary>
        public bool IsReliable => protocol is not TransportProtocol.Udp;

        /// <summary>Whether nobody between us and the next hop reads along.</summary>
        public bool IsEncrypted => protocol is TransportProtocol.Tls or TransportProtocol.Wss;
    }
}
