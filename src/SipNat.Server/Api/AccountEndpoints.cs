using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Commands;

namespace SipNat.Server.Api;

/// <summary><c>/api/accounts</c>: how each account stands, in the JSON of <c>register</c>.</summary>
internal static class AccountEndpoints
{
    /// <param name="accounts">How each account stands.</param>
    public static void Map(IEndpointRouteBuilder routes, Func<IReadOnlyList<AccountSnapshot>> accounts) =>
        routes.MapGet("/api/accounts", (RequestDelegate)(context =>
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(RegisterJson.Report(accounts()), RegisterJsonContext.Default.AccountsReport);
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength = json.Length;
            return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
        }));
}
