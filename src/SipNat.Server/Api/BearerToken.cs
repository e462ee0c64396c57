using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace SipNat.Server.Api;

/// <summary>
/// Lets in who shows the configured token (RFC 6750 §2.1); health alone is told to everybody, as load balancers ask for
/// it and it says nothing of calls.
/// </summary>
internal sealed class BearerToken(string token)
{
    private const string Scheme = "Bearer ";
    private const string OpenPath = "/health";

    private readonly byte[] _digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.Request.Path.StartsWithSegments(OpenPath, StringComparison.Ordinal) || IsShown(context.Request.Headers.Authorization.ToString()))
        {
            await next(context);
            return;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        await Problem.WriteAsync(context, StatusCodes.Status401Unauthorized, "Authorization must be 'Bearer' with the token of Http:Token.");
    }

    // Digests have one length, so the time of the comparison tells nothing of the token.
    private bool IsShown(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(_digest, SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim())));
}
