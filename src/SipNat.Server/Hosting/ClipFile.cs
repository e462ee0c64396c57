using SipNat.Media.Wav;
using SipNat.Server.Options;

namespace SipNat.Server.Hosting;

/// <summary>A WAVE file that is played in calls.</summary>
internal static class ClipFile
{
    /// <exception cref="ConfigurationException">It is not there, is too large, or holds nothing that can be played.</exception>
    public static AudioClip Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > WaveClip.MaxLength) throw Refused(path, ClipDefect.TooLong);

            return WaveClip.TryRead(File.ReadAllBytes(path), out var clip, out var defect) ? clip! : throw Refused(path, defect);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} cannot be read: {error.Message}", error);
        }
    }

    private static ConfigurationException Refused(string path, ClipDefect defect) => new($"{path} cannot be played: {defect.Explain()}.");
}
