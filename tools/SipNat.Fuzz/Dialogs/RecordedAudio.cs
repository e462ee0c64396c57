namespace SipNat.Fuzz.Dialogs;

/// <summary>The content of one file: later writes win. Blocks that hold nothing but silence take no memory.</summary>
internal sealed class RecordedAudio
{
    private const int BlockLength = 8192;
    private const byte Silence = 0xFF;

    private readonly Dictionary<long, byte[]> _blocks = [];

    /// <summary>Bytes of the whole file, once it has ended.</summary>
    public long? EndedAt { get; set; }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var (block, start) = (offset / BlockLength, (int)(offset % BlockLength));
            var part = bytes[..Math.Min(bytes.Length, BlockLength - start)];
            if (_blocks.TryGetValue(block, out var content) || part.ContainsAnyExcept(Silence)) part.CopyTo((content ?? Add(block)).AsSpan(start));
            offset += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    public bool Holds(long offset, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (!_blocks.TryGetValue(offset / BlockLength, out var block) || block[offset % BlockLength] != value) return false;

            offset++;
        }

        return true;
    }

    private byte[] Add(long block)
    {
        var content = new byte[BlockLength];
        content.AsSpan().Fill(Silence);
        _blocks.Add(block, content);
        return content;
    }
}
