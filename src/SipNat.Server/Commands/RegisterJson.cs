using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Commands;

/// <summary>What <c>register --json</c> prints.</summary>
internal static class RegisterJson
{
    public static void Print(TextWriter output, AccountSettings account, AccountSnapshot result) =>
        output.WriteLine(JsonSerializer.Serialize(Report(account, result), RegisterJsonContext.Default.RegisterReport));

    /// <summary>All accounts of a server.</summary>
    internal static AccountsReport Report(IReadOnlyList<AccountSnapshot> accounts) =>
        new([.. accounts.Select(account => Report(Text(account.Registrar), account) with { State = JsonNamingPolicy.CamelCase.ConvertName(account.State.ToString()) })]);

    internal static RegisterReport Report(AccountSettings account, AccountSnapshot result) => Report(Text(result.Registrar) ?? account.Registrar.Host, result);

    private static RegisterReport Report(string? registrar, AccountSnapshot result) => new(
        result.Name,
        registrar,
        result.Transport.ToString().ToLowerInvariant(),
        result.State is AccountState.Registered,
        result.Status,
        result.Reason,
        Text(result.Contact),
        Text(result.Received),
        result.Bindings,
        result.IsAltered ? "detected" : result.Received.IsNone ? "inconclusive" : "none",
        result.Lease?.TotalSeconds,
        result.Keepalive?.TotalSeconds,
        result.Attempts)
    {
        Text = result.Text,
        Why = result.Why,
        Path = Listed(result.Path),
        ServiceRoute = Listed(result.ServiceRoute),
        Flows = result.Flows.Count == 0 ? null : [.. result.Flows.Select(static flow => new FlowReport(Text(flow.Registrar), flow.State is AccountState.Registered, Text(flow.Contact), Text(flow.Received), flow.Text))],
    };

    private static IReadOnlyList<string>? Listed(IReadOnlyList<string> values) => values.Count == 0 ? null : values;

    private static string? Text(TransportAddress address) => address.IsNone ? null : address.ToString();
}

internal sealed record RegisterReport(
    string Account,
    string? Registrar,
    string Transport,
    bool Registered,
    int Status,
    string Reason,
    string? Contact,
    string? Received,
    IReadOnlyList<string> Bindings,
    string Alg,
    double? ExpiresSeconds,
    double? KeepaliveSeconds,
    int Attempts)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;

    /// <summary>How a server's account stands; not told by <c>register</c>, which is over then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? State { get; init; }

    /// <summary>What happened, for people.</summary>
    public required string Text { get; init; }

    /// <summary>Why the Contact has that address.</summary>
    public required string Why { get; init; }

    /// <summary>Proxies on the way to us, as the registrar has them (RFC 3327); left out where it names none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Path { get; init; }

    /// <summary>Proxies that our calls go through (RFC 3608); left out where the registrar names none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ServiceRoute { get; init; }

    /// <summary>Each registration, by reg-id; left out where the account has one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FlowReport>? Flows { get; init; }
}

/// <summary>One registration of an account that has several flows (RFC 5626).</summary>
internal sealed record FlowReport(string? Registrar, bool Registered, string? Contact, string? Received, string Text);

internal sealed record AccountsReport(IReadOnlyList<RegisterReport> Accounts)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RegisterReport))]
[JsonSerializable(typeof(AccountsReport))]
internal sealed partial class RegisterJsonContext : JsonSerializerContext;
