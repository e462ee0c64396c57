using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SipNat.Bench.Compare;

/// <summary>Asks rtpengine by its control protocol over UDP: a cookie, a space and a bencoded dictionary, and the same back.</summary>
internal sealed class NgClient : IDisposable
{
    private const int MaxDatagram = 65_535;
    private const int MaxTries = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[MaxDatagram];
    private int _asked;

    public NgClient(IPEndPoint server) => _socket.Connect(server);

    /// <summary>One question; it is repeated where nobody answers, and rtpengine knows it by its cookie.</summary>
    /// <returns>The answer's <c>sdp</c>; empty where it has none.</returns>
    /// <exception cref="InvalidDataException">Nobody answers, or the answer is no.</exception>
    public async Task<string> AskAsync(string command, SortedDictionary<string, object> fields, CancellationToken stop)
    {
        fields["command"] = command;
        var cookie = Encoding.ASCII.GetBytes($"compare{++_asked} ");
        byte[] question = [.. cookie, .. Bencode.Write(fields)];
        for (var i = 0; i < MaxTries; i++)
        {
            if (await TryAskAsync(question, cookie, stop) is not { } answer) continue;

            var result = answer.GetValueOrDefault("result") as string;
            if (result is "ok" or "pong") return answer.GetValueOrDefault("sdp") as string ?? "";

            throw new InvalidDataException($"rtpengine answered {command} with {result}: {answer.GetValueOrDefault("error-reason")}");
        }

        throw new InvalidDataException($"rtpengine did not answer {command}.");
    }

    public void Dispose() => _socket.Dispose();

    private async Task<SortedDictionary<string, object>?> TryAskAsync(byte[] question, byte[] cookie, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            await _socket.SendAsync(question, limit.Token);
            while (true)
            {
                var length = await _socket.ReceiveAsync(_buffer, limit.Token);
                if (_buffer.AsSpan(0, length).StartsWith(cookie)) return Bencode.Read(_buffer.AsSpan(cookie.Length, length - cookie.Length)) as SortedDictionary<string, object>;
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused)
        {
            // It is not up yet: the port answers that at once, and not after a second.
            await Task.Delay(Patience / 10, stop);
            return null;
        }
    }
}
