using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Http</c> section.</summary>
public sealed record HttpOptions
{
    public static readonly TransportAddress DefaultListen = TransportAddress.Parse("127.0.0.1:8080");

    /// <summary>Where the API listens: a loopback address; port 0 takes a free one.</summary>
    public TransportAddress Listen { get; init; } = DefaultListen;

    internal static HttpOptions Read(SettingReader settings) => new()
    {
        Listen = settings.Value("Http:Listen", DefaultListen, SettingText.HttpListener),
    };
}
