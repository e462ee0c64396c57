using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Http</c> section.</summary>
public sealed record HttpOptions
{
    public static readonly TransportAddress DefaultListen = TransportAddress.Parse("127.0.0.1:8080");

    /// <summary>Where the API listens: a loopback address, or with a token any one; port 0 takes a free one.</summary>
    public TransportAddress Listen { get; init; } = DefaultListen;

    /// <summary>What a request has to show as a bearer token (RFC 6750); null asks for none.</summary>
    public string? Token { get; init; }

    /// <summary>Without the token: a log of the options must not have it.</summary>
    public override string ToString() => $"http://{Listen}";

    internal static HttpOptions Read(SettingReader settings)
    {
        var options = new HttpOptions
        {
            Listen = settings.Value("Http:Listen", DefaultListen, SettingText.HttpListener),
            Token = settings.Secret("Http:Token", SettingText.MinSecret),
        };
        settings.Require(
            options.Listen.IsLoopback || options.Token is not null || settings.Errors.Any(error => error.Key.StartsWith("Http:Token", StringComparison.OrdinalIgnoreCase)),
            "Http:Listen",
            "must be http://127.0.0.1:PORT or http://[::1]:PORT, unless Http:Token is set.");
        return options;
    }
}
