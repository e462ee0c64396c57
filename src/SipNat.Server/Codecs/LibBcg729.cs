using System.Runtime.InteropServices;

namespace SipNat.Server.Codecs;

/// <summary>What is used of libbcg729 (https://gitlab.linphone.org/BC/public/bcg729): 1.0.2 and later.</summary>
internal static partial class LibBcg729
{
    public const string Name = "libbcg729.so.0";

    /// <param name="bits">10 bytes of speech, 2 of silence; empty where the frame is lost.</param>
    /// <param name="samples">80.</param>
    [LibraryImport(Name, EntryPoint = "bcg729Decoder")]
    public static partial void Decode(Decoder decoder, ReadOnlySpan<byte> bits, byte length, byte isLost, byte isSilence, byte isRfc3389, Span<short> samples);

    /// <param name="samples">80.</param>
    /// <param name="bits">Room for 10 bytes.</param>
    [LibraryImport(Name, EntryPoint = "bcg729Encoder")]
    public static partial void Encode(Encoder encoder, ReadOnlySpan<short> samples, Span<byte> bits, out byte length);

    [LibraryImport(Name, EntryPoint = "initBcg729DecoderChannel")]
    public static partial Decoder CreateDecoder();

    [LibraryImport(Name, EntryPoint = "initBcg729EncoderChannel")]
    public static partial Encoder CreateEncoder(byte detectsSilence);

    [LibraryImport(Name, EntryPoint = "closeBcg729DecoderChannel")]
    private static partial void CloseDecoder(nint decoder);

    [LibraryImport(Name, EntryPoint = "closeBcg729EncoderChannel")]
    private static partial void CloseEncoder(nint encoder);

    internal sealed class Decoder() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            CloseDecoder(handle);
            return true;
        }
    }

    internal sealed class Encoder() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            CloseEncoder(handle);
            return true;
        }
    }
}
