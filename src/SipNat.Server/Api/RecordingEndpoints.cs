using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Server.Commands;

namespace SipNat.Server.Api;

/// <summary>
/// <c>/api/recordings</c> with <c>since</c>, <c>until</c>, <c>party</c> and <c>limit</c>, and <c>/api/recordings/{id}</c>:
/// the same JSON as <c>recordings list</c> and <c>recordings show</c>.
/// </summary>
internal static class RecordingEndpoints
{
    private static readonly string[] FilterNames = ["since", "until", "party", "limit"];

    public static void Map(IEndpointRouteBuilder routes, RecordingArchive archive)
    {
        routes.MapGet("/api/recordings", (RequestDelegate)(context => AnswerAsync(context, () => ListAsync(context, archive))));
        routes.MapGet("/api/recordings/{id}", (RequestDelegate)(context => AnswerAsync(context, () => ShowAsync(context, archive))));
    }

    private static async Task AnswerAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (ArchiveException error)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, error.Message);
        }
    }

    private static Task ListAsync(HttpContext context, RecordingArchive archive)
    {
        var query = context.Request.Query;
        var unknown = query.Keys.FirstOrDefault(name => !FilterNames.Contains(name, StringComparer.Ordinal));
        if (unknown is not null)
        {
            return Problem.WriteAsync(context, StatusCodes.Status400BadRequest, $"'{unknown}' is not a filter; there are {string.Join(", ", FilterNames)}.");
        }

        string? Value(string name) => query.TryGetValue(name, out var values) ? values.ToString() : null;
        return RecordingArguments.TryFilter(Value, out var filter, out var problem)
            ? WriteAsync(context, RecordingJson.WriteList(archive.List(filter)))
            : Problem.WriteAsync(context, StatusCodes.Status400BadRequest, problem);
    }

    private static Task ShowAsync(HttpContext context, RecordingArchive archive)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        return archive.Find(id) is { } recording
            ? WriteAsync(context, RecordingJson.Write(recording))
            : Problem.WriteAsync(context, StatusCodes.Status404NotFound, "There is no such recording.");
    }

    private static Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
