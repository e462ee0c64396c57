using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

/// <summary>A host over an <see cref="EchoCore"/> that listens on free loopback ports.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    public static readonly SipListener AnyUdp = new(TransportProtocol.Udp, TransportAddress.Parse("127.0.0.1:0"));
    public static readonly SipListener AnyTcp = new(TransportProtocol.Tcp, TransportAddress.Parse("127.0.0.1:0"));

    public static readonly SipListener AnyTls = new(TransportProtocol.Tls, TransportAddress.Parse("127.0.0.1:0"));

    private RunningHost(EchoCore core, CoreHost host) => (Core, Host) = (core, host);

    public EchoCore Core { get; }

    public CoreHost Host { get; }

    public IPEndPoint EndPoint => Host.Bound.Single().Address.ToIPEndPoint();

    public static RunningHost Start(SipListener listener, TransportLimits? limits = null, Action<CoreHost>? prepare = null, ConnectionOptions? connections = null)
    {
        var core = new EchoCore();
        var host = new CoreHost(core, new ServerClock(TimeProvider.System), new FlowIds(), limits ?? new(), NullLoggerFactory.Instance, connections);
        prepare?.Invoke(host);
        host.Start([listener]);
        return new(core, host);
    }

    public Socket Client(SocketType type = SocketType.Dgram, string local = "127.0.0.1")
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, type is SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(local), 0));
        socket.Connect(EndPoint);
        return socket;
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
