namespace SipNat.Server.Transport;

internal sealed class SipStreamFramer
{
    public bool HasPartial => false;

    public void Push(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    private byte[] _bytes = [];

    public bool TryTake(out ReadOnlySpan<byte> message)
    {
        message = _bytes;
        _bytes = [];
        return message.Length > 0;
    }
}
