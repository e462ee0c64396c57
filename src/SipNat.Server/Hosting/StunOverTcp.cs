using System.Buffers.Binary;
using System.Net.Sockets;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Asks a STUN server over TCP (RFC 8489 §6.2.2): one that answers there is up, so that silence over UDP is the way's.</summary>
internal static class StunOverTcp
{
    // Time enough for three lost SYNs of Linux (1, 3 and 7 s).
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(12);
    private const int LongestAnswer = 2048;

    /// <summary>Whether the server answers a Binding request within 12 s.</summary>
    public static async Task<bool> AnswersAsync(TransportAddress server, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Limit);
        try
        {
            using var client = new TcpClient(server.Family);
            await client.ConnectAsync(server.ToIPEndPoint(), deadline.Token);
            return await AskAsync(client.GetStream(), deadline.Token);
        }
        catch (Exception error) when (error is SocketException or IOException || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return false;
        }
    }

    private static async Task<bool> AskAsync(NetworkStream stream, CancellationToken stop)
    {
        var id = StunTransactionId.Create(new SecureRandom());
        var buffer = new byte[LongestAnswer];
        var length = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id).Length;
        await stream.WriteAsync(buffer.AsMemory(0, length), stop);

        await stream.ReadExactlyAsync(buffer.AsMemory(0, StunMessage.HeaderLength), stop);
        length = StunMessage.HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(2));
        if (length > buffer.Length) return false;

        await stream.ReadExactlyAsync(buffer.AsMemory(StunMessage.HeaderLength, length - StunMessage.HeaderLength), stop);
        return StunMessage.TryRead(buffer.AsSpan(0, length), out var message, out _) && message.Class is StunClass.Success && message.TransactionId == id;
    }
}
