using System.Runtime.InteropServices;

namespace SipNat.Server.Codecs;

/// <summary>What is used of libopus (https://opus-codec.org/docs/opus_api-1.3.1): 1.1 and later.</summary>
internal static partial class LibOpus
{
    public const string Name = "libopus.so.0";

    /// <summary>OPUS_APPLICATION_VOIP.</summary>
    public const int Voice = 2048;

    /// <summary>OPUS_SET_INBAND_FEC_REQUEST.</summary>
    public const int SetForwardErrorCorrection = 4012;

    /// <summary>OPUS_SET_PACKET_LOSS_PERC_REQUEST.</summary>
    public const int SetExpectedLoss = 4014;

    [LibraryImport(Name, EntryPoint = "opus_packet_get_nb_samples")]
    public static partial int SamplesOf(ReadOnlySpan<byte> packet, int length, int sampleRate);

    [LibraryImport(Name, EntryPoint = "opus_decode")]
    public static partial int Decode(Decoder decoder, ReadOnlySpan<byte> packet, int length, Span<short> samples, int frameSize, int forwardErrorCorrection);

    [LibraryImport(Name, EntryPoint = "opus_encode")]
    public static partial int Encode(Encoder encoder, ReadOnlySpan<short> samples, int frameSize, Span<byte> packet, int maxLength);

    // Variadic in C: an int there is passed as any other by the conventions of Linux.
    [LibraryImport(Name, EntryPoint = "opus_encoder_ctl")]
    public static partial int Control(Encoder encoder, int request, int value);

    [LibraryImport(Name, EntryPoint = "opus_decoder_create")]
    public static partial Decoder CreateDecoder(int sampleRate, int channels, out int error);

    [LibraryImport(Name, EntryPoint = "opus_encoder_create")]
    public static partial Encoder CreateEncoder(int sampleRate, int channels, int application, out int error);

    [LibraryImport(Name, EntryPoint = "opus_decoder_destroy")]
    private static partial void DestroyDecoder(nint decoder);

    [LibraryImport(Name, EntryPoint = "opus_encoder_destroy")]
    private static partial void DestroyEncoder(nint encoder);

    internal sealed class Decoder() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyDecoder(handle);
            return true;
        }
    }

    internal sealed class Encoder() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyEncoder(handle);
            return true;
        }
    }
}
