using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>One thing for a writer thread to do.</summary>
/// <param name="Buffer">What <see cref="WriteJobKind.Write"/> writes.</param>
/// <param name="Length">Bytes of audio that <see cref="WriteJobKind.Close"/> leaves at least.</param>
/// <param name="Drained">Told when <see cref="WriteJobKind.Drain"/> is done.</param>
internal readonly record struct WriteJob(
    WriteJobKind Kind, AudioFile? File = null, WriteBuffer? Buffer = null, long Length = 0, TaskCompletionSource? Drained = null);

internal enum WriteJobKind
{
    Open,
    Write,
    Close,
    Drain,
}
