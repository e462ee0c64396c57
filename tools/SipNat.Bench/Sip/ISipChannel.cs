using System.Net;

namespace SipNat.Bench.Sip;

/// <summary>What carries whole SIP messages: a UDP socket or a TCP connection.</summary>
public interface ISipChannel : IDisposable
{
    IPEndPoint Local { get; }

    /// <summary>The transport of a Via (RFC 3261 §18): <c>UDP</c> or <c>TCP</c>.</summary>
    string Transport { get; }

    /// <summary>Nothing is sent again on such a channel (RFC 3261 §17.1.1.2).</summary>
    bool IsReliable { get; }

    ValueTask SendAsync(ReadOnlyMemory<byte> message, IPEndPoint destination, CancellationToken stop);

    /// <summary>The next message or keepalive; an empty one means that the connection has ended.</summary>
    ValueTask<(byte[] Message, IPEndPoint From)> ReceiveAsync(CancellationToken stop);

    /// <summary>When the message that was received last came, as a time stamp of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    long ReceivedAt { get; }
}
