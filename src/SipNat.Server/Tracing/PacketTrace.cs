using System.Buffers;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Tracing;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.Tracing;

/// <summary>
/// Writes what is sent and received into a capture file that Wireshark, tshark and sngrep open, also while it grows. The
/// threads of the sockets only queue: what finds no room is counted and missing in the file.
/// </summary>
/// <remarks>
/// A file that is full is kept as <c>FILE.1</c>, in the place of the one before it, so that both together are bounded.
/// Secrets are masked before anything reaches the disk (<see cref="SecretMask"/>, <see cref="MediaMask"/>).
/// </remarks>
internal sealed partial class PacketTrace : IAsyncDisposable
{
    /// <summary>Messages that wait for the disk.</summary>
    public const int MaxQueued = 8_192;

    /// <summary>Bytes of a file; there are two at most.</summary>
    public const long MaxFileLength = 100_000_000;

    // The longest that is shown of a message over UDP; one over TCP may be longer.
    private const int MaxMedia = 2_048;
    private const long MaxQueuedBytes = 16 * 1024 * 1024;
    private const int FlushAt = 256 * 1024;

    // What a capture file adds to a message: its record, IP and UDP or TCP.
    private const int HeaderLength = 64;
    private static readonly TimeSpan WriteInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly long _maxFileLength;
    private readonly ServerClock _clock;
    private readonly ILogger _log;
    private readonly Channel<Taken> _queue = Channel.CreateBounded<Taken>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly PcapWriter _packets = new();
    private readonly ArrayBufferWriter<byte> _bytes = new(FlushAt);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private FileStream? _file;
    private long _length;
    private long _queuedBytes;
    private long _dropped;
    private long _told;
    private Instant _toldAt;

    private PacketTrace(string path, FileStream file, ServerClock clock, ILoggerFactory logs, long maxFileLength)
    {
        (_path, _file, _clock, _maxFileLength, _log) = (path, file, clock, maxFileLength, logs.CreateLogger<PacketTrace>());
        PcapWriter.WriteFileHeader(_bytes);
        Flush();
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Messages that found no room, and are not in the file.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Begins a trace; what the file held before is gone. Null where none is wanted.</summary>
    /// <exception cref="UnavailableException">The file cannot be written.</exception>
    public static PacketTrace? Open(string? path, ServerClock clock, ILoggerFactory logs, long maxFileLength = MaxFileLength)
    {
        if (path is null) return null;

        try
        {
            return new(path, Create(path), clock, logs, maxFileLength);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException($"The trace {path} cannot be written: {error.Message}", error);
        }
    }

    /// <summary>Takes what a socket for SIP has sent or received. Any thread; never blocks.</summary>
    public void TakeSignalling(Instant now, TransportProtocol transport, TransportAddress from, TransportAddress to, ReadOnlySpan<byte> message) =>
        Take(now, isMedia: false, transport, from, to, message);

    /// <summary>Takes what a media port has sent or received. Any thread; never blocks.</summary>
    public void TakeMedia(Instant now, TransportAddress from, TransportAddress to, ReadOnlySpan<byte> datagram) =>
        Take(now, isMedia: true, TransportProtocol.Udp, from, to, datagram);

    /// <summary>Writes what waits, and completes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stop.CancelAsync();
        await _writing;
        _stop.Dispose();
        if (Dropped > 0) LogDropped(_log, Dropped);
        if (_file is not null) await _file.DisposeAsync();
    }

    private void Take(Instant now, bool isMedia, TransportProtocol transport, TransportAddress from, TransportAddress to, ReadOnlySpan<byte> message)
    {
        var kept = isMedia ? Math.Min(message.Length, MaxMedia) : message.Length;
        if (Interlocked.Add(ref _queuedBytes, kept) <= MaxQueuedBytes)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(kept, 1));
            message[..kept].CopyTo(buffer);
            if (_queue.Writer.TryWrite(new(now, isMedia, transport, from, to, message.Length, buffer, kept))) return;

            ArrayPool<byte>.Shared.Return(buffer);
        }

        Interlocked.Add(ref _queuedBytes, -kept);
        Interlocked.Increment(ref _dropped);
    }

    // Nobody who queues wakes this task: ten times a second is soon enough for whoever reads along.
    private async Task WriteAsync()
    {
        var isLast = false;
        while (true)
        {
            while (_queue.Reader.TryRead(out var taken)) Write(taken);
            Flush();
            TellDropped();
            if (isLast) return;

            try
            {
                await Task.Delay(WriteInterval, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                isLast = true;
            }
        }
    }

    private void Write(in Taken taken)
    {
        var bytes = taken.Buffer.AsSpan(0, taken.Kept);
        var shown = taken.IsMedia ? bytes[..MediaMask.Mask(bytes)] : bytes;
        if (!taken.IsMedia) MaskSignalling(bytes);
        if (_length + _bytes.WrittenCount + shown.Length + HeaderLength > _maxFileLength) Flush();
        _packets.Write(_bytes, new(_clock.ToWall(taken.At), taken.Transport, taken.From, taken.To, taken.Length), shown);
        ArrayPool<byte>.Shared.Return(taken.Buffer);
        Interlocked.Add(ref _queuedBytes, -taken.Kept);
        if (_bytes.WrittenCount >= FlushAt) Flush();
    }

    // Sockets of SIP are asked by STUN how they are seen.
    private static void MaskSignalling(Span<byte> message)
    {
        if (message.Length > 0 && message[0] < 4) message[MediaMask.Mask(message)..].Clear();
        else SecretMask.Mask(message);
    }

    private void Flush()
    {
        try
        {
            if (_file is null || _bytes.WrittenCount == 0) return;
            if (_length > PcapWriter.FileHeaderLength && _length + _bytes.WrittenCount > _maxFileLength) Rotate();

            _file.Write(_bytes.WrittenSpan);
            _file.Flush();
            _length += _bytes.WrittenCount;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogEnded(_log, _path, error.Message);
            _file?.Dispose();
            _file = null;
        }
        finally
        {
            _bytes.ResetWrittenCount();
        }
    }

    private void Rotate()
    {
        _file!.Dispose();
        File.Move(_path, $"{_path}.1", overwrite: true);
        _file = Create(_path);
        var header = new ArrayBufferWriter<byte>(PcapWriter.FileHeaderLength);
        PcapWriter.WriteFileHeader(header);
        _file.Write(header.WrittenSpan);
        _length = header.WrittenCount;
    }

    private void TellDropped()
    {
        if (Dropped == _told || (_told > 0 && _clock.Now - _toldAt < TellInterval)) return;

        (_told, _toldAt) = (Dropped, _clock.Now);
        LogDropped(_log, _told);
    }

    // Who called whom is nobody else's business.
    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(path, options);
    }

    [LoggerMessage(LogLevel.Warning, "The trace lacks {Count} messages: they came faster than the disk took them")]
    private static partial void LogDropped(ILogger logger, long count);

    [LoggerMessage(LogLevel.Error, "The trace {Path} ends here: {Reason}")]
    private static partial void LogEnded(ILogger logger, string path, string reason);

    private readonly record struct Taken(
        Instant At, bool IsMedia, TransportProtocol Transport, TransportAddress From, TransportAddress To, int Length, byte[] Buffer, int Kept);
}
