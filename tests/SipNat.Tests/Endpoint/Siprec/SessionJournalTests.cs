using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class SessionJournalTests
{
    private static readonly Instant Start = new(0);
    private readonly SessionJournal _journal = new();

    [Fact]
    public void The_same_finding_is_kept_once()
    {
        for (var i = 0; i < 3; i++) _journal.Find(Start + TimeSpan.FromSeconds(i), FindingCode.NoMedia, "Nothing came.");
        _journal.Find(Start, FindingCode.NoMedia, "Nothing came either.");

        Assert.Equal(["Nothing came.", "Nothing came either."], _journal.Findings.Select(f => f.Text));
        Assert.Equal(Start, _journal.Findings[0].At);
    }

    [Fact]
    public void Every_list_has_an_end_and_the_timeline_says_that_it_came()
    {
        for (var i = 0; i < 5_000; i++)
        {
            _journal.Find(Start, (FindingCode)(i % 20), $"From port {i}.");
            _journal.Note(Start, "dtmf", $"Key {i}.");
        }

        Assert.Equal((200, 2_001), (_journal.Findings.Count, _journal.Timeline.Count));
        Assert.Equal(new("timeline-full", "More than 2000 entries; the rest is not kept."), (_journal.Timeline[^1].Kind, _journal.Timeline[^1].Text));
    }

    [Fact]
    public void A_text_has_an_end_too_and_the_same_beginning_is_the_same_finding()
    {
        for (var i = 0; i < 3; i++) _journal.Find(Start, FindingCode.MediaWithoutLabel, new string('x', 60_000) + i);
        _journal.Note(Start, "joined", new string('y', 60_000));
        _journal.Keep(new(Start, new string('z', 60_000), "complete", new byte[10]), Start);

        Assert.Equal([new string('x', 999) + "…"], _journal.Findings.Select(f => f.Text));
        Assert.Equal([new string('y', 999) + "…"], _journal.Timeline.Select(e => e.Text));
        Assert.Equal([new string('z', 254) + "…"], _journal.Metadata.Select(m => m.ContentType));
    }

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(1001, 1000)]
    [InlineData(5000, 1000)]
    public void A_text_that_is_cut_does_not_end_with_half_of_a_character(int length, int clipped)
    {
        var plain = SessionJournal.Clip(new string('x', length));
        Assert.Equal(clipped, plain.Length);

        var pairs = SessionJournal.Clip(string.Concat(Enumerable.Repeat("😀", length)));
        Assert.Equal((999, true), (pairs.Length, char.IsLowSurrogate(pairs[^2])));
    }

    [Fact]
    public void One_fault_that_says_something_else_each_time_crowds_out_no_other()
    {
        for (var i = 0; i < 5_000; i++) _journal.Find(Start, FindingCode.SignallingMoved, $"From port {i}.");
        _journal.Find(Start, FindingCode.NoMedia, "Nothing came.");

        Assert.Equal([.. Enumerable.Range(0, 64).Select(i => $"From port {i}."), "Nothing came."], _journal.Findings.Select(f => f.Text));
        Assert.Equal(["There are more findings signalling-moved than are kept."], _journal.Timeline.Select(e => e.Text));
    }

    [Theory]
    [InlineData(10, 300, 200)]
    [InlineData(1024 * 1024, 10, 4)]
    public void Metadata_is_bounded_by_its_number_and_by_its_bytes(int length, int documents, int kept)
    {
        for (var i = 0; i < documents; i++) _journal.Keep(new(Start, "application/rs-metadata+xml", "complete", new byte[length]), Start);

        Assert.Equal(kept, _journal.Metadata.Count);
        Assert.Contains("metadata-full", _journal.Timeline.Select(e => e.Kind));
    }

    [Fact]
    public void A_change_is_told_once()
    {
        Assert.False(_journal.TakeChanged());
        _journal.Note(Start, "joined", "Somebody joined.");
        Assert.Equal((true, false), (_journal.TakeChanged(), _journal.TakeChanged()));
        _journal.Find(Start, FindingCode.NoMedia, "Nothing came.");
        Assert.True(_journal.TakeChanged());
        _journal.Find(Start, FindingCode.NoMedia, "Nothing came.");
        Assert.False(_journal.TakeChanged());
    }

    [Fact]
    public void A_copy_that_was_given_away_does_not_change()
    {
        var before = _journal.Timeline;
        _journal.Note(Start, "joined", "Somebody joined.");

        Assert.Empty(before);
        Assert.Single(_journal.Timeline);
    }
}
