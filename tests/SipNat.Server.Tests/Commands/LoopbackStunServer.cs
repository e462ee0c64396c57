using System.Net;
using System.Net.Sockets;

namespace SipNat.Server.Tests.Commands;

/// <summary>A STUN server of one address that answers Binding requests with MAPPED-ADDRESS, or keeps silent.</summary>
internal sealed class LoopbackStunServer : IAsyncDisposable
{
    private readonly UdpClient _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public LoopbackStunServer(string address, bool isSilent = false)
    {
        _socket = new(new IPEndPoint(IPAddress.Parse(address), 0));
        _loop = RunAsync(isSilent);
    }

    public string EndPoint => _socket.Client.LocalEndPoint!.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _socket.Dispose();
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

                // RFC 8489 §5 and §14.1, by hand.
                var port = request.RemoteEndPoint.Port;
                byte[] answer =
                [
                    0x01, 0x01, 0, 12, .. request.Buffer.AsSpan(4, 16),
                    0, 1, 0, 8, 0, 1, (byte)(port >> 8), (byte)port, .. request.RemoteEndPoint.Address.GetAddressBytes(),
                ];
                await _socket.SendAsync(answer, request.RemoteEndPoint, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }
}
