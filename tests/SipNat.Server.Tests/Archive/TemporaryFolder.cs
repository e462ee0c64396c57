using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Server.Tests.Archive;

/// <summary>A folder of its own for one test, with what tests put into it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public const string Id = "20261120-a1b2c3";

    public static readonly DateTimeOffset Start = new(2026, 11, 20, 23, 59, 58, TimeSpan.Zero);

    public string Path { get; } = Directory.CreateTempSubdirectory("sipnat-archive-").FullName;

    public string Recordings => System.IO.Path.Combine(Path, "recordings");

    public string Database => $"Data Source={System.IO.Path.Combine(Path, "catalogue.db")}";

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public static RecordingDocument Document(string id = Id, RecordingState state = RecordingState.Complete, DateTimeOffset? start = null) => new()
    {
        Id = id,
        State = state,
        StartedAt = start ?? Start,
        EndedAt = state is RecordingState.Complete ? (start ?? Start).AddSeconds(3) : null,
        CallId = "b2f0@203.0.113.9",
        Remote = "203.0.113.9:5060",
    };

    /// <summary>A document with an audio file for each codec given, one stream each, whose bytes are on the disk.</summary>
    public static RecordingDocument WithAudio(RecordingStore store, RecordingDocument document, params (AudioCodec Codec, double Offset, byte[] Audio)[] streams)
    {
        var folder = store.Create(document.Id, document.StartedAt);
        return document with
        {
            Streams = [.. streams.Select((stream, index) => new RecordedStream
            {
                Label = $"{index + 1}",
                RecordedSeconds = stream.Audio.Length / 8000.0,
                Files = [WriteAudio(store, $"{folder}/{RecordingStore.AudioName(index + 1, 1)}", stream.Codec, stream.Offset, stream.Audio)],
            })],
        };
    }

    public static RecordedFile WriteAudio(RecordingStore store, string file, AudioCodec codec, double offset, byte[] audio)
    {
        File.WriteAllBytes(store.PathOf(file), Wav(codec, audio));
        return new RecordedFile { File = file, Codec = codec.EncodingName, StartOffsetSeconds = offset, DurationSeconds = audio.Length / 8000.0 };
    }

    /// <summary>A whole file: header, audio, and the padding of an odd length.</summary>
    public static byte[] Wav(AudioCodec codec, ReadOnlySpan<byte> audio)
    {
        var bytes = new byte[WavHeader.Length + audio.Length + (audio.Length & 1)];
        WavHeader.Write(bytes, WavFormat.Of(codec), audio.Length);
        audio.CopyTo(bytes.AsSpan(WavHeader.Length));
        return bytes;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
