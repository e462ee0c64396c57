using System.Globalization;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary>What <c>register</c> prints for people: a table, and one sentence that says what it means.</summary>
internal static class RegisterText
{
    public static void Print(TextWriter output, AccountSettings account, AccountSnapshot result)
    {
        var report = RegisterJson.Report(account, result);
        List<(string Name, string Value)> rows =
        [
            ("account", $"{report.Account} ({account.Uri})"),
            ("registrar", $"{report.Registrar}, {report.Transport}"),
            ("registered", report.Registered ? "yes" : "no"),
            ("answer", report.Status == 0 ? "none" : $"{report.Status} {report.Reason}"),
            ("contact", report.Contact is null ? "none" : $"{report.Contact} ({report.Why.TrimEnd('.')})"),
            ("the registrar sees", report.Received ?? "does not say"),
            ("bindings", report.Bindings.Count == 0 ? "none" : string.Join(", ", report.Bindings)),
            ("path", report.Path is null ? "none" : string.Join(", ", report.Path)),
            ("service route", report.ServiceRoute is null ? "none" : string.Join(", ", report.ServiceRoute)),
            ("lease", Seconds(report.ExpiresSeconds)),
            ("keepalive", report.KeepaliveSeconds is { } bound ? string.Create(CultureInfo.InvariantCulture, $"every {bound * 0.8:F0} to {bound:F0} s") : "none"),
            ("SIP ALG", report.Alg),
        ];
        rows.AddRange(result.Flows.Select(static (flow, index) => ($"flow {index + 1}", flow.Text)));
        var width = rows.Max(row => row.Name.Length);
        foreach (var (name, value) in rows) output.WriteLine($"{name.PadRight(width)}  {SafeText.EscapeLines(value)}");

        output.WriteLine();
        output.WriteLine(SafeText.EscapeLines(Advice(result)));
    }

    private static string Advice(AccountSnapshot result) => result switch
    {
        { State: AccountState.Refused } => $"The registrar does not take the credentials: {result.Text}. Check Username and Password, which are not always those of the provider's web pages.",
        { State: AccountState.Registered, IsAltered: true } => "Something on the way rewrites SIP. Turn the SIP ALG of the router off, or set Transport to Tls.",
        { State: AccountState.Registered } => $"Calls arrive: {result.Text}.",
        { Status: 0 } => $"No server answered: {result.Text}. Check Registrar and the network, or try Transport Tcp or Tls where UDP is blocked.",
        _ => $"Not registered: {result.Text}.",
    };

    private static string Seconds(double? seconds) => seconds is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:F0} s") : "none";
}
