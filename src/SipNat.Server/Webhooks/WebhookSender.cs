using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using SipNat.Archive.Documents;
using SipNat.Server.Options;

namespace SipNat.Server.Webhooks;

/// <summary>Tells every configured receiver of ended sessions and of findings. Never blocks, never throws.</summary>
internal sealed class WebhookSender : IAsyncDisposable
{
    private const string FolderName = "webhooks";

    private readonly TimeProvider _clock;
    private readonly List<WebhookReceiver> _receivers;

    /// <param name="folder">Where what is not delivered yet is kept: one folder in it for each receiver.</param>
    public WebhookSender(IReadOnlyList<WebhookOptions> receivers, string folder, ILoggerFactory logs, WebhookPace? pace = null, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        var log = logs.CreateLogger<WebhookSender>();
        _receivers = [.. receivers.Select(options => new WebhookReceiver(options, FolderOf(folder, options), pace ?? WebhookPace.Default, _clock, log))];
    }

    /// <summary>Beside the file of the catalogue.</summary>
    public static string FolderBeside(string database) =>
        Path.Combine(Path.GetDirectoryName(new Microsoft.Data.Sqlite.SqliteConnectionStringBuilder(database).DataSource) ?? "", FolderName);

    public void SessionEnded(RecordingDocument document)
    {
        if (_receivers.Count > 0) Tell(WebhookEvent.Ended(document, _clock.GetUtcNow()));
    }

    public void Found(RecordingDocument document, RecordingFinding finding)
    {
        if (_receivers.Count > 0) Tell(WebhookEvent.Found(document, finding, _clock.GetUtcNow()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var receiver in _receivers) await receiver.DisposeAsync();
    }

    private void Tell(WebhookEvent item)
    {
        foreach (var receiver in _receivers) receiver.Tell(item);
    }

    // By the address, so that another one is never sent what was meant for this.
    private static string FolderOf(string folder, WebhookOptions options) =>
        Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.Url.AbsoluteUri)).AsSpan(0, 8)));
}
