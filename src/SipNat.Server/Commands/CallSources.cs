using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary>What the other side of a command's call hears.</summary>
internal static class CallSources
{
    /// <exception cref="ConfigurationException">The file cannot be played, or two things are to be heard.</exception>
    public static AudioSource Of(CommandContext context)
    {
        var (file, echoes) = (context.Arguments.GetValue(CallArguments.Play), context.Arguments.GetValue(CallArguments.Echo));
        if (file is not null && echoes) throw new ConfigurationException("--play and --echo exclude each other: one of them has to go.");
        if (echoes) return new AudioSource.Echo();

        return file is null ? new AudioSource.Silence() : new AudioSource.Clip(ClipFile.Read(file));
    }
}
