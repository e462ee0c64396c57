using System.Runtime.InteropServices;
using SipNat.Media.Wav;
using SipNat.Server.Options;

namespace SipNat.Server.Hosting;

/// <summary>A WAVE file that is played in calls.</summary>
internal static class ClipFile
{
    private const int MaxLength = 100 * 1024 * 1024;

    /// <exception cref="ConfigurationException">It is not there, is too large, or holds nothing that can be played.</exception>
    public static AudioClip Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > MaxLength) throw new ConfigurationException($"{path} has {length} bytes; at most {MaxLength} are played.");

            var bytes = File.ReadAllBytes(path);
            if (!WavHeader.TryRead(bytes.AsSpan(0, Math.Min(bytes.Length, WavHeader.MaxLength)), bytes.Length, out var header, out var defect)) throw new ConfigurationException($"{path} is no WAVE file: {defect}.");

            var data = bytes.AsSpan(header.DataOffset, (int)header.DataLength);
            return header.Format switch
            {
                { Tag: WavFormatTag.Pcm, Channels: 1, BitsPerSample: 16 } => new(MemoryMarshal.Cast<byte, short>(data).ToArray(), header.Format.SampleRate),
                _ => throw new ConfigurationException($"{path} cannot be played: wanted is 16-bit PCM of one channel."),
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} cannot be read: {error.Message}", error);
        }
    }
}
