using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Server.Commands;

namespace SipNat.Server.Api;

/// <summary>
/// <c>/api/recordings</c> with <c>since</c>, <c>until</c>, <c>party</c> and <c>limit</c>, and <c>/api/recordings/{id}</c>:
/// the same JSON as <c>recordings list</c> and <c>recordings show</c>. <c>POST /api/recordings/{id}/pause</c> and
/// <c>…/resume</c>, with the content type <c>application/json</c>, stop and go on with a recording that runs: 204, or 409
/// where it does not run any more.
/// </summary>
internal static class RecordingEndpoints
{
    private const string JsonType = "application/json; charset=utf-8";

    private static readonly byte[] Opening = "["u8.ToArray();
    private static readonly byte[] Comma = ","u8.ToArray();
    private static readonly byte[] Closing = "]"u8.ToArray();
    private static readonly byte[] EmptyList = "[]"u8.ToArray();
    private static readonly string[] FilterNames = ["since", "until", "party", "limit"];

    /// <param name="setPaused">Pauses (true) or resumes a recording by its id; false where no such recording runs.</param>
    public static void Map(IEndpointRouteBuilder routes, RecordingArchive archive, Func<string, bool, bool> setPaused)
    {
        routes.MapGet("/api/recordings", (RequestDelegate)(context => AnswerAsync(context, () => ListAsync(context, archive))));
        routes.MapGet("/api/recordings/{id}", (RequestDelegate)(context => AnswerAsync(context, () => ShowAsync(context, archive))));
        routes.MapPost("/api/recordings/{id}/pause", (RequestDelegate)(context => AnswerAsync(context, () => SetPausedAsync(context, archive, setPaused, paused: true))));
        routes.MapPost("/api/recordings/{id}/resume", (RequestDelegate)(context => AnswerAsync(context, () => SetPausedAsync(context, archive, setPaused, paused: false))));
    }

    private static async Task AnswerAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (ArchiveException) when (context.Response.HasStarted)
        {
            // What was sent of a list is no document: it must not look like one.
            context.Abort();
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
            ? WriteAsync(context, archive.Pages(filter))
            : Problem.WriteAsync(context, StatusCodes.Status400BadRequest, problem);
    }

    private static Task ShowAsync(HttpContext context, RecordingArchive archive)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        return archive.Find(id) is { } recording
            ? WriteAsync(context, RecordingJson.Write(recording))
            : Problem.WriteAsync(context, StatusCodes.Status404NotFound, "There is no such recording.");
    }

    // A page of another site can make a browser post a form here, but not with this content type.
    private static Task SetPausedAsync(HttpContext context, RecordingArchive archive, Func<string, bool, bool> setPaused, bool paused)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        if (!context.Request.HasJsonContentType())
        {
            return Problem.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, "The content type must be application/json.");
        }

        if (setPaused(id, paused))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        return archive.Find(id) is null
            ? Problem.WriteAsync(context, StatusCodes.Status404NotFound, "There is no such recording.")
            : Problem.WriteAsync(context, StatusCodes.Status409Conflict, "The recording does not run any more.");
    }

    // Page by page: two thousand recordings at once took 260 MB, which those that run may need.
    private static async Task WriteAsync(HttpContext context, IEnumerable<IReadOnlyList<RecordingDocument>> pages)
    {
        var isFirst = true;
        foreach (var page in pages)
        {
            if (!context.Response.HasStarted) context.Response.ContentType = JsonType;
            foreach (var recording in page)
            {
                await context.Response.Body.WriteAsync(isFirst ? Opening : Comma, context.RequestAborted);
                await context.Response.Body.WriteAsync(RecordingJson.Write(recording), context.RequestAborted);
                isFirst = false;
            }
        }

        await context.Response.Body.WriteAsync(isFirst ? EmptyList : Closing, context.RequestAborted);
    }

    private static Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = JsonType;
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
