using BenchmarkDotNet.Attributes;
using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Bench.Stages;

/// <summary>What it costs a packet that its buffer is written to a file that grows: by the writer, without its thread, and not forced to the medium.</summary>
[MemoryDiagnoser]
[IterationCount(20)]
public class WriteBenchmarks
{
    private const int Buffers = 1280;
    private const int Packets = Buffers * StreamTimeline.BlockLength / 160;

    private readonly AudioFileWriterOptions _options = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sipnat-stages-");
    private readonly WriteJob[] _behind = new WriteJob[WriteRun.MaxJobs];
    private WriterCore _core = null!;
    private AudioFile _file = null!;
    private int _files;

    [IterationSetup]
    public void Open()
    {
        var disk = new AudioDisk();
        _core = new(_options, TimeProvider.System, disk, new(_options, TimeProvider.System, disk, Refuse), Refuse);
        _file = new(Path.Combine(_folder.FullName, $"{_files++}.wav"), new AudioFileFormat.Wave(AudioCodec.Pcmu), owner: null, TimeProvider.System);
        _core.Do(new(WriteJobKind.Open, _file));
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public long WriteToFile()
    {
        for (var i = 0; i < Buffers; i++)
        {
            var buffer = WriteBuffer.Rent((long)i * StreamTimeline.BlockLength, StreamTimeline.BlockLength, StreamTimeline.BlockLength);
            _core.Do(new(WriteJobKind.Write, _file, buffer));
        }

        return _core.BytesWritten;
    }

    /// <summary>The same where the disk is behind, so that sixteen buffers of the file have gathered for each write.</summary>
    [Benchmark(OperationsPerInvoke = Packets)]
    public long WriteToFileWhenBehind()
    {
        for (var i = 0; i < Buffers; i += _behind.Length)
        {
            for (var j = 0; j < _behind.Length; j++) _behind[j] = new(WriteJobKind.Write, _file, WriteBuffer.Rent((long)(i + j) * StreamTimeline.BlockLength, StreamTimeline.BlockLength, StreamTimeline.BlockLength));
            _core.DoAll(_behind);
        }

        return _core.BytesWritten;
    }

    [IterationCleanup]
    public void Delete()
    {
        _file.Open?.Dispose();
        File.Delete(_file.Path);
    }

    [GlobalCleanup]
    public void Close() => _folder.Delete(recursive: true);

    private static void Refuse(AudioFault fault) => throw new InvalidDataException($"The disk refuses: {fault}");
}
