using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SipNat.Server.Hosting;

namespace SipNat.Server.Api;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: it takes sessions; 503 while it starts and drains.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, Health health)
    {
        routes.MapGet("/health/live", (RequestDelegate)(context => WriteAsync(context, StatusCodes.Status200OK, "live")));
        routes.MapGet("/health/ready", (RequestDelegate)(context => health.State is HealthState.Ready
            ? WriteAsync(context, StatusCodes.Status200OK, "ready")
            : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, health.State is HealthState.Starting ? "starting" : "draining")));
    }

    private static Task WriteAsync(HttpContext context, int status, string state)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{state}\n", context.RequestAborted);
    }
}
