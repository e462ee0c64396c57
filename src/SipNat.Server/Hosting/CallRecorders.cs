using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Media.Wav;

namespace SipNat.Server.Hosting;

/// <summary>
/// Writes calls into WAVE files of two channels: what we sent on the left, what was heard on the right. A file is complete
/// at every second; a disk that refuses ends the file, not the call.
/// </summary>
internal sealed partial class CallRecorders(ILoggerFactory logs) : IAsyncDisposable
{
    // A minute of one call.
    private const int MaxQueued = 3_000;
    private const int BlocksPerSecond = 50;

    private readonly ILogger _log = logs.CreateLogger<CallRecorders>();
    private readonly ConcurrentDictionary<SessionId, Recorder> _recorders = new();

    /// <summary>Begins a file; what it held before is gone.</summary>
    /// <exception cref="UnavailableException">The file cannot be written.</exception>
    public void Start(SessionId call, string path, int sampleRate)
    {
        FileStream file;
        try
        {
            file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException($"The recording {path} cannot be written: {error.Message}", error);
        }

        var queue = Channel.CreateBounded<CapturedAudio>(new BoundedChannelOptions(MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _recorders[call] = new(queue, WriteAsync(file, path, sampleRate, queue.Reader));
    }

    /// <summary>Takes 20 ms of a call, on the media engine's thread.</summary>
    public void Take(CapturedAudio captured)
    {
        if (!_recorders.TryGetValue(captured.Session, out var recorder) || !recorder.Queue.Writer.TryWrite(captured)) captured.Release();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var recorder in _recorders.Values)
        {
            recorder.Queue.Writer.TryComplete();
            await recorder.Writing;
        }
    }

    private async Task WriteAsync(FileStream file, string path, int sampleRate, ChannelReader<CapturedAudio> blocks)
    {
        var format = WavFormat.Pcm16(2, sampleRate);
        var header = new byte[WavHeader.Length];
        var length = 0L;
        await using (file)
        {
            try
            {
                WriteHeader();
                await foreach (var block in blocks.ReadAllAsync())
                {
                    // A block that was refused leaves a silence of its length.
                    var at = block.Number * block.Length * format.BlockAlign;
                    var bytes = Interleave(block);
                    block.Release();
                    await RandomAccess.WriteAsync(file.SafeFileHandle, bytes, WavHeader.Length + at, CancellationToken.None);
                    length = at + bytes.Length;
                    if (block.Number % BlocksPerSecond == 0) WriteHeader();
                }

                WriteHeader();
            }
            catch (IOException error)
            {
                NotWritten(_log, path, error.Message);
                await foreach (var block in blocks.ReadAllAsync()) block.Release();
            }
        }

        void WriteHeader()
        {
            WavHeader.Write(header, format, length);
            RandomAccess.Write(file.SafeFileHandle, header, 0);
        }
    }

    private static byte[] Interleave(CapturedAudio block)
    {
        var bytes = new byte[4 * block.Length];
        var samples = MemoryMarshal.Cast<byte, short>(bytes.AsSpan());
        for (var i = 0; i < block.Length; i++) (samples[2 * i], samples[(2 * i) + 1]) = (block.Ours[i], block.Theirs[i]);

        return bytes;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording {Path} ends here: {Problem}")]
    private static partial void NotWritten(ILogger log, string path, string problem);

    private sealed record Recorder(Channel<CapturedAudio> Queue, Task Writing);
}
