using System.Diagnostics.CodeAnalysis;

namespace SipNat.Endpoint.Siprec;

public static class RecordingMetadataReader
{
    public static bool TryRead(ReadOnlyMemory<byte> xml, [NotNullWhen(true)] out RecordingMetadataDocument? document, out MetadataDefect defect) => throw new NotSupportedException();
}

public enum MetadataDefect { None, Empty, TooLong, Malformed, DocumentType, TooDeep, TooManyElements, TooManyAttributes, UnknownRoot }
