using SipNat.Media.Streams;

namespace SipNat.Endpoint.Media;

/// <summary>Audio, or packets of it, on the way to a file, or the end of that file.</summary>
/// <param name="Stream">The m-line's index, from 0.</param>
/// <param name="Buffer">The bytes; null for the end of the file.</param>
/// <param name="FinalLength">Bytes of audio in the whole file, at its end only.</param>
public readonly record struct RecordingWrite(SessionId Session, int Stream, RecordingFile File, WriteBuffer? Buffer, long FinalLength);
