using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Archive;
using SipNat.Archive.Audio;
using SipNat.Endpoint;
using SipNat.Endpoint.Siprec;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Webhooks;
using SipNat.Wire;
using RecordingState = SipNat.Endpoint.Siprec.RecordingState;

namespace SipNat.Server.Tests.Durability;

/// <summary>Documents of sessions on a disk that refuses them for a while.</summary>
public sealed class RecordingJournalTests : IDisposable
{
    private const string Id = "20261120-a1b2c3";
    private static readonly DateTimeOffset Start = VirtualTime.Start;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_session_that_ended_while_the_disk_refused_is_written_when_it_takes_it()
    {
        await File.WriteAllTextAsync(_folder.Recordings, "a file where the folder should be", TestContext.Current.CancellationToken);
        using var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        await using var webhooks = new WebhookSender([], _folder["webhooks"], NullLoggerFactory.Instance);
        await using (var rows = new RecordingRows(archive, isBehind: false, NullLoggerFactory.Instance))
        await using (var journal = new RecordingJournal(archive, rows, webhooks, NullLoggerFactory.Instance))
        {
            journal.Take(Snapshot(RecordingState.Recording), Start);
            journal.Take(Snapshot(RecordingState.Complete), Start);
            await journal.SavedAsync();
            File.Delete(_folder.Recordings);
        }

        Assert.Equal(SipNat.Archive.Documents.RecordingState.Complete, Assert.Single(archive.List(new())).State);
        Assert.Equal("<recording/>", await File.ReadAllTextAsync(archive.Store.PathOf($"2026/11/20/{Id}/metadata-001.xml"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_the_disk_did_is_found_in_the_document_also_after_the_end_of_the_session()
    {
        using var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        await using var webhooks = new WebhookSender([], _folder["webhooks"], NullLoggerFactory.Instance);
        var path = archive.Store.PathOf($"2026/11/20/{Id}/stream-1.wav");
        await using (var rows = new RecordingRows(archive, isBehind: false, NullLoggerFactory.Instance))
        await using (var journal = new RecordingJournal(archive, rows, webhooks, NullLoggerFactory.Instance))
        {
            journal.Take(Snapshot(RecordingState.Recording), Start);
            journal.TakeFault(new(Id), new AudioFault.Refused(path, Start.AddSeconds(3), "No space left on device"));
            journal.Take(Snapshot(RecordingState.Complete), Start);
            await journal.SavedAsync();
            journal.TakeFault(new(Id), new AudioFault.Resumed(path, Start.AddSeconds(70), "No space left on device", Start.AddSeconds(3), [new(40_000, 56_008)]));
            journal.TakeFault(new("20261120-unknown"), new AudioFault.NotForced(path.Replace(Id, "20261120-unknown", StringComparison.Ordinal), Start, "Input/output error"));
        }

        Assert.Equal(
            [
                new("audio-not-written", "stream-1.wav has not been written since 2026-11-20 12:00:03.000Z: No space left on device. Its audio waits in memory and is tried again every second.", Start.AddSeconds(3)),
                new("audio-written-again", "stream-1.wav was not written from 2026-11-20 12:00:03.000Z to 2026-11-20 12:01:10.000Z (No space left on device); 2.001 s of it are silence in the file: from second 5.000 to 7.001.", Start.AddSeconds(70)),
            ],
            archive.Find(Id)!.Findings);
    }

    [Fact]
    public async Task A_storm_of_sessions_that_end_at_one_time_leaves_each_complete_on_the_disk_and_in_the_catalogue()
    {
        const int Sessions = 1_200;
        using var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        await using var webhooks = new WebhookSender([], _folder["webhooks"], NullLoggerFactory.Instance);
        List<string> ids = [.. Enumerable.Range(0, Sessions).Select(i => $"20261120-{i:D6}")];
        await using (var rows = new RecordingRows(archive, isBehind: false, NullLoggerFactory.Instance))
        await using (var journal = new RecordingJournal(archive, rows, webhooks, NullLoggerFactory.Instance))
        {
            foreach (var id in ids) journal.Take(Snapshot(RecordingState.Recording, id), Start);
            foreach (var id in ids) journal.Take(Snapshot(RecordingState.Complete, id), Start);
            await journal.SavedAsync();

            Assert.All(ids, id => Assert.Equal(SipNat.Archive.Documents.RecordingState.Complete, archive.Store.Read($"2026/11/20/{id}").Document!.State));
        }

        Assert.Equal(ids, archive.List(new() { Limit = Sessions }).Where(d => d.State is SipNat.Archive.Documents.RecordingState.Complete).Select(d => d.Id).Order(StringComparer.Ordinal));
    }

    private static RecordingSnapshot Snapshot(RecordingState state, string id = Id) => new(
        new SessionId(id),
        state,
        new Instant(0),
        state is RecordingState.Complete ? new Instant(TimeSpan.TicksPerSecond) : null,
        null,
        "call@example.com",
        TransportAddress.Parse("192.0.2.1:5060"),
        [],
        [],
        [],
        [],
        [],
        [],
        [new(new Instant(0), "application/rs-metadata+xml", "complete", "<recording/>"u8.ToArray())],
        []);
}
