using Microsoft.Win32.SafeHandles;
using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Archive.Export;

/// <summary>A file of G.711 as it was recorded.</summary>
internal sealed class WavAudio : IAudioSource
{
    private readonly string _path;
    private readonly string _name;
    private readonly WavHeader _header;
    private readonly AudioCodec _codec;
    private byte[] _encoded = [];
    private SafeFileHandle? _handle;
    private long _position;

    /// <param name="name">The file's name for people.</param>
    /// <exception cref="ArchiveException">It is not there, or is no such file.</exception>
    public WavAudio(string path, string name)
    {
        (_path, _name) = (path, name);
        using var handle = Open(path, name);
        if (!WavFile.TryRead(handle, out _header, out var defect)) throw new ArchiveException($"{name} cannot be exported: {defect.Explain()}.");

        _codec = _header.Format is { Codec: { } codec, SampleRate: var rate } && rate == codec.ClockRate ? codec
            : throw new ArchiveException($"{name} cannot be exported: it is not G.711 at {AudioCodec.Pcmu.ClockRate} Hz.");
    }

    public int SampleRate => _codec.ClockRate;

    public long Length => _header.DataLength;

    public static SafeFileHandle Open(string path, string name)
    {
        try
        {
            return WavFile.OpenRead(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArchiveException($"{name} is not there: 'recordings verify' shows what is missing.", exception);
        }
    }

    public void Read(Span<short> samples)
    {
        _handle ??= Open(_path, _name);
        samples.Clear();
        var wanted = (int)Math.Min(samples.Length, Length - _position);
        if (wanted <= 0) return;

        if (_encoded.Length < wanted) _encoded = new byte[wanted];

        // A file that was cut short since it was inspected reads as silence.
        var count = WavFile.Fill(_handle, _encoded.AsSpan(0, wanted), _header.DataOffset + _position);
        G711.Decode(_codec, _encoded.AsSpan(0, count), samples);
        _position += wanted;
    }

    public void Dispose() => _handle?.Dispose();
}
