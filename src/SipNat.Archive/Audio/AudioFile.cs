using Microsoft.Win32.SafeHandles;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Audio;

/// <summary>
/// One audio file that an <see cref="AudioFileWriter"/> writes. Whoever opened it sees its path and its failure; all
/// else belongs to the one writer thread that it was given to.
/// </summary>
public sealed class AudioFile
{
    private volatile AudioFileFailure? _failure;
    private volatile bool _isClosing;

    internal AudioFile(string path, AudioCodec codec, WriterThread owner) => (Path, Codec, Owner) = (path, codec, owner);

    public string Path { get; }

    public AudioCodec Codec { get; }

    /// <summary>Why nothing more is written to it; null while all is well. Any thread may ask.</summary>
    public AudioFileFailure? Failure
    {
        get => _failure;
        internal set => _failure = value;
    }

    internal WriterThread Owner { get; }

    /// <summary>Whether it was closed by its caller: it takes nothing more.</summary>
    internal bool IsClosing
    {
        get => _isClosing;
        set => _isClosing = value;
    }

    internal SafeFileHandle? Handle { get; set; }

    /// <summary>Bytes of audio in the file.</summary>
    internal long AudioLength { get; set; }

    /// <summary>Whether the header states less than <see cref="AudioLength"/>, and a rewrite is scheduled.</summary>
    internal bool HeaderIsStale { get; set; }

    /// <summary>Whether the medium may lack bytes, and a flush is scheduled.</summary>
    internal bool IsUnsynced { get; set; }
}

/// <summary>Why a file is not written any further.</summary>
/// <param name="Message">What the operating system said.</param>
public sealed record AudioFileFailure(string Path, string Message);
