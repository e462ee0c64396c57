using System.Net;
using System.Net.Sockets;

namespace SipNat.Server.Tests.Commands;

/// <summary>A STUN server of one address that answers Binding requests with MAPPED-ADDRESS, or keeps silent, over UDP and where wanted over TCP.</summary>
internal sealed class LoopbackStunServer : IAsyncDisposable
{
    private readonly UdpClient _socket;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public LoopbackStunServer(string address, bool isSilent = false, bool hasTcp = false)
    {
        _socket = new(new IPEndPoint(IPAddress.Parse(address), 0));
        _listener = new((IPEndPoint)_socket.Client.LocalEndPoint!);
        if (hasTcp) _listener.Start();
        _loop = Task.WhenAll(RunAsync(isSilent), hasTcp ? AcceptAsync() : Task.CompletedTask);
    }

    public string EndPoint => _socket.Client.LocalEndPoint!.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _socket.Dispose();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(bool isSilent)
    {
        try
        {
            while (true)
            {
                var request = await _socket.ReceiveAsync(_stop.Token);
                if (isSilent) continue;

                await _socket.SendAsync(Answer(request.Buffer, request.RemoteEndPoint), request.RemoteEndPoint, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var request = new byte[20];
                await client.GetStream().ReadExactlyAsync(request, _stop.Token);
                await client.GetStream().WriteAsync(Answer(request, (IPEndPoint)client.Client.RemoteEndPoint!), _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    // RFC 8489 §5 and §14.1, by hand.
    private static byte[] Answer(byte[] request, IPEndPoint from) =>
    [
        0x01, 0x01, 0, 12, .. request.AsSpan(4, 16),
        0, 1, 0, 8, 0, 1, (byte)(from.Port >> 8), (byte)from.Port, .. from.Address.GetAddressBytes(),
    ];
}
