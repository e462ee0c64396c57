using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Compare;

/// <summary>How .NET programs usually receive.</summary>
internal enum PlainReceiving
{
    /// <summary>A loop of <c>ReceiveFromAsync</c> for each socket.</summary>
    Async,

    /// <summary><c>BeginReceiveFrom</c> and <c>EndReceiveFrom</c>, as older programs do.</summary>
    Begin,
}

/// <summary>
/// A receiver as a tutorial has it: a socket for each stream, each datagram received by itself, its header looked at, its
/// payload written through a buffer of 8 KiB. It is what the recorder is compared with, not a part of it.
/// </summary>
internal sealed class PlainReceiver(PlainReceiving how, IPAddress address, int firstPort, int streams, string folder) : IDisposable
{
    private const int HeaderLength = 12;
    private const int BufferLength = 8192;

    private readonly List<Stream> _streams = [];

    public long Received => _streams.Sum(stream => stream.Received);

    public void Start()
    {
        for (var i = 0; i < streams; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, firstPort + i));
            _streams.Add(new(socket, File.Create(Path.Combine(folder, $"{i}.raw"), BufferLength)));
        }

        foreach (var stream in _streams)
        {
            if (how is PlainReceiving.Async) _ = stream.RunAsync();
            else stream.Begin();
        }
    }

    public void Dispose()
    {
        foreach (var stream in _streams) stream.Dispose();
    }

    private sealed class Stream(Socket socket, FileStream file) : IDisposable
    {
        private readonly byte[] _datagram = new byte[2048];
        private readonly SocketAddress _source = new(AddressFamily.InterNetwork);
        private EndPoint _from = new IPEndPoint(IPAddress.Any, 0);
        private ushort _sequence;

        public long Received { get; private set; }

        public long Lost { get; private set; }

        public async Task RunAsync()
        {
            try
            {
                while (true) Take(await socket.ReceiveFromAsync(_datagram, SocketFlags.None, _source));
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException)
            {
                // The run is over.
            }
        }

        public void Begin()
        {
            try
            {
                socket.BeginReceiveFrom(_datagram, 0, _datagram.Length, SocketFlags.None, ref _from, End, null);
            }
            catch (ObjectDisposedException)
            {
                // The run is over.
            }
        }

        public void Dispose()
        {
            socket.Dispose();
            lock (file) file.Dispose();
        }

        private void End(IAsyncResult result)
        {
            try
            {
                Take(socket.EndReceiveFrom(result, ref _from));
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException)
            {
                return;
            }

            Begin();
        }

        private void Take(int length)
        {
            if (length < HeaderLength || _datagram[0] >> 6 != 2) return;

            var sequence = (ushort)((_datagram[2] << 8) | _datagram[3]);
            var ahead = (short)(sequence - _sequence);
            if (Received > 0 && ahead > 1) Lost += ahead - 1;
            _sequence = sequence;
            Received++;
            lock (file)
            {
                if (file.CanWrite) file.Write(_datagram, HeaderLength, length - HeaderLength);
            }
        }
    }
}
