using SipNat.Media.Wav;
using SipNat.Server.Options;

namespace SipNat.Server.Hosting;

/// <summary>A WAVE file that is played in calls.</summary>
internal static class PlayedFile
{
    /// <exception cref="ConfigurationException">It is not there, is too large, or holds nothing that can be played.</exception>
    public static AudioClip Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > ClipFile.MaxLength) throw new ConfigurationException($"{path} has {length} bytes; at most {ClipFile.MaxLength} are played.");

            return ClipFile.TryRead(File.ReadAllBytes(path), out var clip, out var defect)
                ? clip!
                : throw new ConfigurationException($"{path} cannot be played: {defect.Explain()}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} cannot be read: {error.Message}", error);
        }
    }
}
