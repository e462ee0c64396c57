namespace SipNat.Server.Options;

/// <summary>One entry of the <c>Webhooks</c> list: who is told of ends and findings.</summary>
public sealed record WebhookOptions
{
    /// <summary>Where it is posted: https, or http to this machine.</summary>
    public required Uri Url { get; init; }

    /// <summary>The key of the signature; null leaves it out.</summary>
    public string? Secret { get; init; }

    /// <summary>Without the secret: a log of the options must not have it.</summary>
    public override string ToString() => Url.GetLeftPart(UriPartial.Path);

    internal static IReadOnlyList<WebhookOptions> Read(SettingReader settings) =>
        settings.Objects("Webhooks", ["Url", "Secret", "SecretFile"], entry =>
        {
            var url = settings.Value($"{entry}:Url", null, SettingText.WebhookUrl);
            var secret = settings.Secret($"{entry}:Secret", SettingText.MinSecret);
            var isTold = settings.Errors.Any(error => error.Key.Equals($"{entry}:Url", StringComparison.OrdinalIgnoreCase));
            settings.Require(url is not null || isTold, $"{entry}:Url", "must be set: where the events are posted.");
            return url is null ? null : new WebhookOptions { Url = url, Secret = secret };
        });
}
