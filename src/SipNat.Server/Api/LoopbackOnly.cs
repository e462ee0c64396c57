using Microsoft.AspNetCore.Http;
using SipNat.Wire;

namespace SipNat.Server.Api;

/// <summary>
/// Refuses what a page of another site makes a browser send here: a name that was turned round to point at loopback
/// (the Host header names it), and requests of another origin.
/// </summary>
internal static class LoopbackOnly
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (!IsLoopback(context.Request.Host.Host))
        {
            await Problem.WriteAsync(context, StatusCodes.Status403Forbidden, "The Host header must name a loopback address.");
            return;
        }

        if (context.Request.Headers.Origin is [{ } origin, ..] && !IsOwn(origin, context.Request))
        {
            await Problem.WriteAsync(context, StatusCodes.Status403Forbidden, "Requests of another origin are not answered.");
            return;
        }

        context.Response.Headers.XContentTypeOptions = "nosniff";
        await next(context);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (TransportAddress.TryParse(host, out var address) && address.IsLoopback);

    private static bool IsOwn(string origin, HttpRequest request) =>
        string.Equals(origin, $"http://{request.Host}", StringComparison.OrdinalIgnoreCase);
}
