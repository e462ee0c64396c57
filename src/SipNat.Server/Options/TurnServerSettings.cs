using SipNat.Traversal.Turn;

namespace SipNat.Server.Options;

/// <summary>One entry of the <c>Nat:TurnServers</c> list.</summary>
public sealed record TurnServerSettings
{
    /// <summary>Entries of the list: so many are asked at once.</summary>
    public const int MaxServers = TurnRace.MaxServers;

    private const string List = "Nat:TurnServers";

    public required TurnUri Uri { get; init; }

    /// <summary>Who asks; with <see cref="Secret"/> a name for the server's log. Empty for a server that asks for none.</summary>
    public string Username { get; init; } = "";

    /// <summary>Null where <see cref="Secret"/> takes its place, or the server asks for none.</summary>
    public string? Password { get; init; }

    /// <summary>What the server and we derive passwords from that are good for a time; null where there is a password.</summary>
    public string? Secret { get; init; }

    /// <summary>A PEM file of the authorities that may vouch for this server; null: those of the system.</summary>
    public string? Ca { get; init; }

    /// <summary>Without password and secret: a log of the options must not have them.</summary>
    public override string ToString() => Uri.ToString();

    internal static IReadOnlyList<TurnServerSettings> Read(SettingReader settings)
    {
        var servers = settings.Objects<TurnServerSettings>(
            List,
            ["Uri", "Username", "Password", "PasswordFile", "Secret", "SecretFile", "Ca"],
            entry => ReadOne(settings, entry));
        settings.Require(servers.Count <= MaxServers, $"{List}:{MaxServers}:Uri", $"is one too many: at most {MaxServers} servers are asked at once.");
        return servers;
    }

    private static TurnServerSettings? ReadOne(SettingReader settings, string entry)
    {
        var errors = settings.Errors.Count;
        var uri = settings.Value($"{entry}:Uri", null, SettingText.TurnServer);
        var username = settings.Value($"{entry}:Username", "", SettingText.StunUsername);
        var password = settings.Secret($"{entry}:Password", SettingText.StunPassword);
        var secret = settings.Secret($"{entry}:Secret", SettingText.StunPassword);
        var ca = settings.Value<string?>($"{entry}:Ca", null, settings.CertificateFile);
        if (settings.Errors.Count > errors) return null;

        settings.Require(uri is not null, $"{entry}:Uri", "must be set: where the server is, such as turn:turn.example.com.");
        settings.Require(password is null || secret is null, $"{entry}:Username", "has both a Password and a Secret: one of them has to go.");
        settings.Require(password is null || username.Length > 0, $"{entry}:Username", "must be set beside a Password.");
        settings.Require(username.Length == 0 || password is not null || secret is not null, $"{entry}:Username", "needs a Password, or a Secret that both sides know.");
        settings.Require(ca is null || uri is null or { IsSecure: true }, $"{entry}:Ca", "has a meaning only for turns: servers.");
        if (settings.Errors.Count > errors) return null;

        return new() { Uri = uri!, Username = username, Password = password, Secret = secret, Ca = ca };
    }
}
