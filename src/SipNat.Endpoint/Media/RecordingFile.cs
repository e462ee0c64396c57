using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What is known of a stream's file when it begins.</summary>
/// <param name="Index">Its place among the files of the stream, from 0: a change of codec begins the next. What came beside
/// the stream's own source is in <see cref="OtherPackets.FileIndex"/>.</param>
/// <param name="StartedAt">Arrival of its first packet.</param>
/// <param name="Local">Where the packets arrive.</param>
/// <param name="Source">Where the first one came from.</param>
public sealed record RecordingFile(int Index, FileCodec Codec, Instant StartedAt, TransportAddress Local, TransportAddress Source);
