using SipNat.Media.Codecs;

namespace SipNat.Archive.Export;

/// <summary>What an export writes. The audio is 16-bit PCM at the highest rate of a file's streams, and time 0 is the session's beginning.</summary>
public sealed record ExportOptions
{
    public ExportFormat Format { get; init; } = ExportFormat.Stereo;

    /// <summary>One stream alone, in one channel: its label, or its number from 1. It overrules the format.</summary>
    public string? Stream { get; init; }

    /// <summary>What kept packets are decoded by.</summary>
    public CodecRegistry Codecs { get; init; } = CodecRegistry.BuiltIn;

    /// <summary>Whether an output that exists is replaced.</summary>
    public bool Force { get; init; }
}

public enum ExportFormat
{
    /// <summary>The first stream left and the second right; a session of one stream gives one channel.</summary>
    Stereo,

    /// <summary>One file with a channel for each stream, in their order.</summary>
    Channels,

    /// <summary>A file for each stream that has audio: <c>call.wav</c> becomes <c>call-1.wav</c>, <c>call-2.wav</c>.</summary>
    Streams,
}

/// <summary>What an export wrote.</summary>
/// <param name="OmittedStreams">How many streams of the session are in none of the files.</param>
public sealed record ExportResult(IReadOnlyList<ExportedFile> Files, int OmittedStreams)
{
    /// <summary>What of the exported streams is kept as packets, cannot be decoded here, and is silent in the files.</summary>
    public IReadOnlyList<KeptPackets> Kept { get; init; } = [];
}

/// <summary>A file of packets that an export leaves out.</summary>
/// <param name="Stream">The stream's number in the session, from 1.</param>
/// <param name="Codec">The encoding name in SDP.</param>
/// <param name="File">Its path below the recordings' directory.</param>
public sealed record KeptPackets(int Stream, string Codec, string File);

/// <param name="Labels">The labels of the streams in the order of the channels; null where a stream has none.</param>
public sealed record ExportedFile(string Path, IReadOnlyList<string?> Labels, double Seconds);
