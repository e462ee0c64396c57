namespace SipNat.Endpoint.Siprec;

public static class MultipartReader
{
    public static SiprecBody Read(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> contentDisposition, ReadOnlyMemory<byte> body) => throw new NotSupportedException();
}
