using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Server.Options;

namespace SipNat.Server.Webhooks;

/// <summary>
/// One receiver of events: what is to be told goes through memory to the queue on the disk, and from there to the
/// receiver, in order, each as often as it takes. Whoever tells never waits.
/// </summary>
internal sealed partial class WebhookReceiver : IAsyncDisposable
{
    /// <summary>How long a delivery is tried; an end of a session that is told a day late helps nobody.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    private const int MaxUnsaved = 1000;

    // A receiver that answers with an error of its own each time has a fault that time does not mend.
    private const int MaxErrors = 12;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly WebhookOptions _options;
    private readonly WebhookPace _pace;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly WebhookQueue _queue;
    private readonly HttpClient _http;
    private readonly Channel<WebhookEvent> _told = Channel.CreateBounded<WebhookEvent>(
        new BoundedChannelOptions(MaxUnsaved) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly SemaphoreSlim _added = new(1);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _saving;
    private readonly Task _sending;
    private bool _isAway;

    public WebhookReceiver(WebhookOptions options, string folder, WebhookPace pace, TimeProvider clock, ILogger log)
    {
        (_options, _pace, _clock, _log) = (options, pace, clock, log);
        _queue = new WebhookQueue(folder);
        _http = CreateClient();
        _saving = Task.Run(SaveAsync);
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Takes an event; never blocks. Where the disk hangs, a thousand are kept.</summary>
    public void Tell(WebhookEvent item) => _told.Writer.TryWrite(item);

    /// <summary>Saves what was told; what has not been delivered is delivered after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _told.Writer.TryComplete();
        await _saving;
        await _ending.CancelAsync();
        await _sending;
        _http.Dispose();
        _added.Dispose();
        _ending.Dispose();
    }

    // Certificates are verified as always. What an answer points to is not followed: the address that was configured is
    // the one that was meant.
    private static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = AnswerTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 64,
    })
    {
        Timeout = AnswerTimeout,
    };

    private async Task SaveAsync()
    {
        await foreach (var item in _told.Reader.ReadAllAsync())
        {
            var dropped = _queue.Dropped;
            _queue.Add(item, _clock.GetUtcNow());
            if (_queue.Dropped > dropped) LogDropped(_log, _options.ToString(), WebhookQueue.MaxWaiting);
            _added.Release();
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                await _added.WaitAsync(_ending.Token);
                await SendWaitingAsync(_ending.Token);
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task SendWaitingAsync(CancellationToken stop)
    {
        var (pause, errors) = (_pace.First, 0);
        while (_queue.Peek() is var (name, item, at))
        {
            var outcome = _clock.GetUtcNow() - at > MaxAge ? new WebhookOutcome(WebhookResult.Refused, "it is a day old") : await PostAsync(item, stop);
            if (outcome.Result is WebhookResult.Failed && ++errors >= MaxErrors) outcome = outcome with { Result = WebhookResult.Refused };
            Tell(item, outcome);
            if (outcome.Result is WebhookResult.Delivered or WebhookResult.Refused)
            {
                _queue.Remove(name);
                (pause, errors) = (_pace.First, 0);
                continue;
            }

            await Task.Delay(pause, _clock, stop);
            pause = pause * 2 < _pace.Longest ? pause * 2 : _pace.Longest;
        }
    }

    private async Task<WebhookOutcome> PostAsync(WebhookEvent item, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Url);
        request.Content = new ByteArrayContent(item.Body);
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("X-SipNat-Event", item.Kind);
        request.Headers.Add("X-SipNat-Delivery", item.Id);
        if (_options.Secret is { } secret) request.Headers.Add(WebhookSignature.Header, WebhookSignature.Create(secret, _clock.GetUtcNow(), item.Body));
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            return WebhookOutcome.Of(response.StatusCode);
        }
        catch (HttpRequestException error)
        {
            return new WebhookOutcome(WebhookResult.Away, error.InnerException?.Message ?? error.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new WebhookOutcome(WebhookResult.Away, $"no answer within {AnswerTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        }
    }

    // Once when a receiver goes away and once when it is back, not with each attempt.
    private void Tell(WebhookEvent item, WebhookOutcome outcome)
    {
        if (outcome.Result is WebhookResult.Refused) LogRefused(_log, item.Id, _options.ToString(), outcome.Reason);
        if (outcome.Result is WebhookResult.Away or WebhookResult.Failed && !_isAway) LogAway(_log, _options.ToString(), outcome.Reason);
        if (outcome.Result is WebhookResult.Delivered && _isAway) LogBack(_log, _options.ToString(), _queue.Count);
        _isAway = outcome.Result is WebhookResult.Away or WebhookResult.Failed;
    }

    [LoggerMessage(LogLevel.Warning, "{Url} does not take webhooks ({Reason}); they are kept and tried again")]
    private static partial void LogAway(ILogger logger, string url, string reason);

    [LoggerMessage(LogLevel.Information, "{Url} takes webhooks again; {Count} wait")]
    private static partial void LogBack(ILogger logger, string url, int count);

    [LoggerMessage(LogLevel.Error, "The webhook {Delivery} to {Url} is given up: {Reason}")]
    private static partial void LogRefused(ILogger logger, string delivery, string url, string reason);

    [LoggerMessage(LogLevel.Error, "More than {Limit} webhooks wait for {Url}: the oldest are given up")]
    private static partial void LogDropped(ILogger logger, string url, int limit);
}

/// <summary>How long is waited after an attempt in vain; doubled each time.</summary>
internal sealed record WebhookPace(TimeSpan First, TimeSpan Longest)
{
    public static WebhookPace Default { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
}

/// <summary>What came of one attempt.</summary>
/// <param name="Reason">Half a sentence.</param>
internal sealed record WebhookOutcome(WebhookResult Result, string Reason)
{
    /// <summary>
    /// Any 2xx is a receipt. Errors of the server, and those that ask for patience (408, 425, 429), are tried again; what
    /// else it answers it will answer again, a redirect too.
    /// </summary>
    public static WebhookOutcome Of(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => new(WebhookResult.Delivered, ""),
        408 or 425 or 429 or >= 500 => new(WebhookResult.Failed, $"it answers {(int)status}"),
        >= 300 and < 400 => new(WebhookResult.Refused, $"it answers {(int)status}, and redirects are not followed"),
        _ => new(WebhookResult.Refused, $"it answers {(int)status}"),
    };
}

internal enum WebhookResult
{
    Delivered,

    /// <summary>It cannot be reached, or does not answer.</summary>
    Away,

    /// <summary>It answers that it cannot take it at this time.</summary>
    Failed,

    /// <summary>Given up.</summary>
    Refused,
}
