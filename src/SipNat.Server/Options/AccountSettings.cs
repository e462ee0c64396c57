using SipNat.Endpoint.Accounts;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>One entry of the <c>Accounts</c> list: a line with a provider or a PBX.</summary>
public sealed record AccountSettings
{
    /// <summary>Entries of the list.</summary>
    public const int MaxAccounts = 10_000;

    private const string List = "Accounts";
    private static readonly TimeSpan ShortestExpires = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestExpires = TimeSpan.FromDays(1);

    public required string Name { get; init; }

    /// <summary>The address of record: <c>sip:user@domain</c>.</summary>
    public required SipUri Uri { get; init; }

    /// <summary>Who answers challenges; the user of <see cref="Uri"/> unless it is set.</summary>
    public required string Username { get; init; }

    public required string Password { get; init; }

    /// <summary>Where registrations go; the domain of <see cref="Uri"/> unless it is set.</summary>
    public required SipUri Registrar { get; init; }

    public SipUri? OutboundProxy { get; init; }

    /// <summary>Those of the second flow and so on.</summary>
    public IReadOnlyList<SipUri> FurtherProxies { get; init; } = [];

    /// <summary>Registrations by different servers at one time.</summary>
    public int Flows { get; init; } = 1;

    /// <summary>When calls name the GRUU that the registrar gave.</summary>
    public GruuUse Gruu { get; init; }

    /// <summary>Null: as the DNS says.</summary>
    public TransportProtocol? Transport { get; init; }

    public TimeSpan Expires { get; init; } = AccountOptions.DefaultExpires;

    public string? Realm { get; init; }

    public string DisplayName { get; init; } = "";

    public bool AllowMd5 { get; init; } = true;

    /// <summary>A PEM file of the authorities that may vouch for the servers of this account; null: those of the system.</summary>
    public string? Ca { get; init; }

    /// <summary>A PEM file with the certificate that the servers of this account are shown where they ask; null: <c>Sip:Tls:Certificate</c>.</summary>
    public string? Certificate { get; init; }

    /// <summary>The key of <see cref="Certificate"/>.</summary>
    public string? Key { get; init; }

    /// <summary>What the certificates of its servers name, to the letter, in place of their hosts.</summary>
    public string? CertificateName { get; init; }

    /// <summary>What its servers are asked for to open a WebSocket.</summary>
    public string WebSocketPath { get; init; } = "/";

    /// <summary>The hosts that it connects to.</summary>
    public IEnumerable<string> Servers => OutboundProxy is { } proxy ? [Registrar.Host, proxy.Host, .. FurtherProxies.Select(further => further.Host)] : [Registrar.Host];

    /// <summary>Codecs in order of preference; null: <see cref="CodecNames.Default"/>.</summary>
    public IReadOnlyList<string>? Codecs { get; init; }

    /// <summary>How digits are sent.</summary>
    public DtmfMethod Dtmf { get; init; }

    /// <summary>How media are encrypted; null: as <c>Media:Srtp</c> says.</summary>
    public MediaSrtp? Srtp { get; init; }

    /// <summary>What becomes of calls to it while <c>serve</c> runs.</summary>
    public IncomingCalls Incoming { get; init; }

    /// <summary>The file that callers hear; null for none.</summary>
    public string? Play { get; init; }

    /// <summary>Without the password: a log of the options must not have it.</summary>
    public override string ToString() => $"{Name} ({Uri})";

    internal static IReadOnlyList<AccountSettings> Read(SettingReader settings)
    {
        var accounts = settings.Objects<AccountSettings>(
            List,
            ["Name", "Uri", "Username", "Password", "PasswordFile", "Registrar", "OutboundProxy", "Flows", "Gruu", "Transport", "Expires", "Realm", "DisplayName", "AllowMd5", "Ca", "Certificate", "Key", "CertificateName", "WebSocketPath", "Codecs", "Dtmf", "Srtp", "Incoming", "Play"],
            entry => ReadOne(settings, entry),
            MaxAccounts);
        foreach (var name in accounts.GroupBy(account => account.Name, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1))
        {
            settings.Require(false, $"{List}:{accounts.ToList().FindLastIndex(account => account.Name == name.Last().Name)}:Name", $"is '{name.Key}', as that of another account is: each has a name of its own.");
        }

        RequireSameTerms(settings, accounts);
        return accounts;
    }

    // A connection is for all accounts of its server, and shows one certificate.
    private static void RequireSameTerms(SettingReader settings, IReadOnlyList<AccountSettings> accounts)
    {
        var first = new Dictionary<string, AccountSettings>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < accounts.Count; i++)
        {
            var account = accounts[i];
            foreach (var host in account.Servers)
            {
                if (first.TryAdd(host, account)) continue;

                var other = first[host];
                settings.Require(account.Certificate == other.Certificate && account.Key == other.Key, $"{List}:{i}:Certificate", $"must be that of {other.Name}, as both use {host} and share the connections to it.");
                settings.Require(account.WebSocketPath == other.WebSocketPath, $"{List}:{i}:WebSocketPath", $"must be that of {other.Name}, as both use {host} and share the connections to it.");
                settings.Require(account.CertificateName == other.CertificateName, $"{List}:{i}:CertificateName", $"must be that of {other.Name}, as both use {host} and share the connections to it.");
            }
        }
    }

    private static AccountSettings? ReadOne(SettingReader settings, string entry)
    {
        var errors = settings.Errors.Count;
        var uri = settings.Value($"{entry}:Uri", null, SettingText.AddressOfRecord);
        var name = settings.Value($"{entry}:Name", uri is null ? "" : $"{uri.User}@{uri.Host}", SettingText.AccountName);
        var username = settings.Value($"{entry}:Username", uri?.User ?? "", SettingText.SipUsername);
        var password = settings.Secret($"{entry}:Password", SettingText.SipPassword);
        var registrar = settings.Value($"{entry}:Registrar", null, SettingText.SipServer);
        var proxies = settings.Value<IReadOnlyList<SipUri>>($"{entry}:OutboundProxy", [], SettingText.SipServers);
        var flows = settings.Integer($"{entry}:Flows", 1, 1, AccountOptions.MaxFlows);
        var gruu = settings.Choice($"{entry}:Gruu", GruuUse.Auto);
        var transport = settings.Value<TransportProtocol?>($"{entry}:Transport", null, SettingText.SipTransport);
        var expires = settings.Duration($"{entry}:Expires", AccountOptions.DefaultExpires, ShortestExpires, LongestExpires);
        var realm = settings.Value<string?>($"{entry}:Realm", null, text => new(text, text.Length == 0 ? "must not be empty; leave it out where any realm will do." : null));
        var display = settings.Value($"{entry}:DisplayName", "", SettingText.DisplayName);
        var allowMd5 = settings.Boolean($"{entry}:AllowMd5", true);
        var ca = settings.Value<string?>($"{entry}:Ca", null, settings.CertificateFile);
        var certificate = settings.Value<string?>($"{entry}:Certificate", null, settings.CertificateFile);
        var key = settings.Value<string?>($"{entry}:Key", null, settings.ReadableFile);
        var certificateName = settings.Value<string?>($"{entry}:CertificateName", null, text => text.Length > 0 ? text : Parsed.Not<string?>("must be a name, as the certificate has it."));
        var path = settings.Value($"{entry}:WebSocketPath", "/", SettingText.WebSocketPath);
        var codecs = settings.Value<IReadOnlyList<string>?>($"{entry}:Codecs", null, CodecNames.Parse);
        var dtmf = settings.Choice($"{entry}:Dtmf", DtmfMethod.Auto);
        var srtp = settings.OptionalChoice<MediaSrtp>($"{entry}:Srtp");
        var incoming = settings.Choice($"{entry}:Incoming", IncomingCalls.Reject);
        var play = settings.Value<string?>($"{entry}:Play", null, settings.AudioFile);
        if (settings.Errors.Count > errors) return null;

        settings.Require(incoming is not IncomingCalls.Play || play is not null, $"{entry}:Play", "must be set where Incoming is Play: the WAVE file that callers hear.");
        settings.Require(incoming is IncomingCalls.Play or IncomingCalls.Record || play is null, $"{entry}:Play", "is set, and Incoming is neither Play nor Record: nobody would hear it.");
        settings.Require(proxies.Count <= Math.Max(1, flows), $"{entry}:OutboundProxy", $"names {proxies.Count} proxies, and Flows is {flows}: each flow goes by one of them.");
        settings.RequirePair(certificate, key, entry);
        settings.Require(uri is not null, $"{entry}:Uri", "must be set: who this is, such as sip:100@example.com.");
        settings.Require(password is not null, $"{entry}:Password", "must be set, or PasswordFile in its place.");
        if (settings.Errors.Count > errors) return null;

        return new()
        {
            Name = name,
            Uri = uri!,
            Username = username,
            Password = password!,
            Registrar = registrar ?? DomainOf(uri!),
            OutboundProxy = proxies.Count > 0 ? proxies[0] : null,
            FurtherProxies = [.. proxies.Skip(1)],
            Flows = flows,
            Gruu = gruu,
            Transport = transport,
            Expires = expires,
            Realm = realm,
            DisplayName = display,
            AllowMd5 = allowMd5,
            Ca = ca,
            Certificate = certificate,
            Key = key,
            CertificateName = certificateName,
            WebSocketPath = path,
            Codecs = codecs,
            Dtmf = dtmf,
            Srtp = srtp,
            Incoming = incoming,
            Play = play,
        };
    }

    private static SipUri DomainOf(SipUri uri)
    {
        var host = uri.Host.Contains(':', StringComparison.Ordinal) ? $"[{uri.Host}]" : uri.Host;
        var port = uri.Port == 0 ? "" : $":{uri.Port}";
        return SipUri.Parse($"{(uri.Scheme is SipUriScheme.Sips ? "sips" : "sip")}:{host}{port}");
    }
}
