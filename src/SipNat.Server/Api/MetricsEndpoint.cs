using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace SipNat.Server.Api;

/// <summary><c>/metrics</c>: what the meters say, as Prometheus text.</summary>
internal static class MetricsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, MetricsExporter metrics) => routes.MapGet("/metrics", (RequestDelegate)(context =>
    {
        context.Response.ContentType = MetricsExporter.ContentType;
        return context.Response.WriteAsync(metrics.Write(), context.RequestAborted);
    }));
}
