using System.Net.Sockets;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// The sockets of one thread of the media engine: how what has arrived is found and fetched. All but <see cref="Wake"/> is
/// for that thread. No socket is ever awaited: an async operation would put it into .NET's own epoll set for life.
/// </summary>
internal interface IMediaSockets : IDisposable
{
    /// <summary>Sockets that are open.</summary>
    int Count { get; }

    /// <summary>Those of them that are visited in turn; the others are looked at as soon as something comes.</summary>
    int Swept { get; }

    /// <summary>Datagrams that came while their socket's queue was full, as far as the system tells.</summary>
    long Overflowed { get; }

    /// <summary>Takes a bound socket; it is closed with <see cref="Remove"/>.</summary>
    MediaSocket Add(FlowId flow, Socket socket);

    void Remove(MediaSocket socket);

    /// <summary>Waits for something to come, at most so long or until <see cref="Wake"/>, and hands over what there is.</summary>
    void Receive(TimeSpan limit);

    /// <summary>Hands over what a socket has at this moment, whoever's turn it is.</summary>
    void Drain(MediaSocket socket);

    /// <summary>Ends a wait; from any thread.</summary>
    void Wake();
}

/// <summary>Who is handed what has arrived, on the thread of the sockets.</summary>
internal interface IMediaReceiver
{
    /// <param name="received">
    /// In the order of arrival; empty where a socket was visited in turn for nothing, or is no longer. Only good until this
    /// returns.
    /// </param>
    /// <param name="bytes">Those of all datagrams.</param>
    /// <returns>Whether the socket may be visited in turn from here on: nobody waits for what comes to it.</returns>
    bool Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes);

    /// <summary>ICMP says something of a datagram that the socket has sent; where the system does not tell, this is never called.</summary>
    /// <param name="quoted">How the datagram began, as far as the message has it. Only good until this returns.</param>
    void HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted);
}
