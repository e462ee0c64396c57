using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>
/// AES in counter mode, by the processor's instructions or from the library's block cipher alone. The counter is the last four bytes of the first block: SRTP's own has
/// two (RFC 3711 §4.1.1), which no datagram overflows, and GCM's has four.
/// </summary>
internal sealed class AesCounter : IDisposable
{
    public const int BlockLength = 16;

    // A packet of 20 ms of G.711 has ten.
    private const int BlocksAtOnce = 16;
    private const int CounterPlace = 12;

    private readonly AesInstructions? _instructions;
    private readonly ICryptoTransform? _encryptor;
    private readonly byte[] _counters = [];
    private readonly byte[] _stream = [];

    /// <param name="key">16, 24 or 32 bytes.</param>
    public AesCounter(ReadOnlySpan<byte> key, SrtpArithmetic arithmetic)
    {
        if (arithmetic is SrtpArithmetic.Processor && AesInstructions.IsSupported)
        {
            _instructions = new(key);
            return;
        }

        using var aes = Aes.Create();
        (aes.Mode, aes.Padding) = (CipherMode.ECB, PaddingMode.None);
        aes.SetKey(key);
        _encryptor = aes.CreateEncryptor();
        (_counters, _stream) = (new byte[BlocksAtOnce * BlockLength], new byte[BlocksAtOnce * BlockLength]);
    }

    /// <summary>Encrypts or decrypts, which is the same.</summary>
    /// <param name="first">The first counter block.</param>
    /// <param name="destination">At least as long as the source; the same place or one apart from it.</param>
    public void Apply(ReadOnlySpan<byte> first, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (_instructions is not null)
        {
            _instructions.Apply(first, source, destination);
            return;
        }

        var counter = BinaryPrimitives.ReadUInt32BigEndian(first[CounterPlace..]);
        while (!source.IsEmpty)
        {
            var length = Math.Min(source.Length, _stream.Length);
            var blocks = (length + BlockLength - 1) / BlockLength;
            for (var block = 0; block < blocks; block++)
            {
                var place = _counters.AsSpan(block * BlockLength, BlockLength);
                first.CopyTo(place);
                BinaryPrimitives.WriteUInt32BigEndian(place[CounterPlace..], counter++);
            }

            // A transform that is kept costs a sixth of the one-shot call, and allocates nothing.
            _encryptor!.TransformBlock(_counters, 0, blocks * BlockLength, _stream, 0);
            Xor(source[..length], _stream, destination);
            source = source[length..];
            destination = destination[length..];
        }
    }

    public void Dispose()
    {
        _instructions?.Dispose();
        _encryptor?.Dispose();
        CryptographicOperations.ZeroMemory(_stream);
    }

    private static void Xor(ReadOnlySpan<byte> source, ReadOnlySpan<byte> stream, Span<byte> destination)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(source);
        var streamWords = MemoryMarshal.Cast<byte, ulong>(stream);
        var destinationWords = MemoryMarshal.Cast<byte, ulong>(destination);
        for (var i = 0; i < words.Length; i++) destinationWords[i] = words[i] ^ streamWords[i];
        for (var i = words.Length * sizeof(ulong); i < source.Length; i++) destination[i] = (byte)(source[i] ^ stream[i]);
    }
}
