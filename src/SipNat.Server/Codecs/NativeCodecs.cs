using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using SipNat.Media.Codecs;
using SipNat.Server.Options;

namespace SipNat.Server.Codecs;

/// <summary>The codecs that libraries of the system bring; a library that is not there brings none.</summary>
internal static partial class NativeCodecs
{
    /// <summary>What libopus brings, in an rtpmap: two channels, however many are used (RFC 7587 §7).</summary>
    public const string Opus = "opus";

    /// <summary>What libbcg729 brings, in an rtpmap.</summary>
    public const string G729 = "G729";

    private const int OpusChannels = 2;

    private static readonly Lazy<CodecRegistry> Loaded = new(Load);

    /// <summary>All codecs of this machine.</summary>
    public static CodecRegistry Registry => Loaded.Value;

    /// <summary>Whether a codec, by its encoding name, can be used here.</summary>
    public static bool IsMissing(string name) => LibraryOf(name) is not null && !Registry.Added.Any(c => c.EncodingName.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The library that brings a codec; null for one that needs none.</summary>
    public static string? LibraryOf(string name) =>
        name.Equals(Opus, StringComparison.OrdinalIgnoreCase) ? LibOpus.Name
        : name.Equals(G729, StringComparison.OrdinalIgnoreCase) ? LibBcg729.Name
        : null;

    /// <summary>Says which codecs of the settings are not there.</summary>
    public static void Tell(ILogger log, SipNatOptions options)
    {
        foreach (var name in options.Accounts.SelectMany(a => a.Codecs ?? []).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IsMissing(name)) Missing(log, name, LibraryOf(name)!);
        }
    }

    private static CodecRegistry Load()
    {
        var registry = CodecRegistry.BuiltIn;
        if (IsThere(LibOpus.Name)) registry = registry.With(new(Opus, OpusDecoder.Rate, OpusChannels, static () => new OpusDecoder(), static () => new OpusEncoder()));
        if (IsThere(LibBcg729.Name)) registry = registry.With(new(G729, G729Decoder.Rate, 1, static () => new G729Decoder(), static () => new G729Encoder()));
        return registry;
    }

    private static bool IsThere(string library) => NativeLibrary.TryLoad(library, typeof(NativeCodecs).Assembly, null, out _);

    [LoggerMessage(LogLevel.Warning, "{Codec} is not offered: {Library} is not installed")]
    private static partial void Missing(ILogger logger, string codec, string library);
}
