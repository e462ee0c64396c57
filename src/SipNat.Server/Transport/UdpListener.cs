using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>A UDP socket as a listener: the flow is open for the core as long as datagrams are received.</summary>
internal sealed class UdpListener(CoreHost host, UdpFlow flow) : IListeningSocket
{
    public SipListener Bound { get; } = new(TransportProtocol.Udp, flow.Local);

    public async Task RunAsync(CancellationToken stop)
    {
        host.Opened(flow);
        try
        {
            await flow.ReceiveAsync(host, stop);
        }
        finally
        {
            host.Closed(flow);
        }
    }

    public void Close() => flow.Dispose();
}
