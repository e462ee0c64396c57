using SipNat.Archive.Audio;
using SipNat.Endpoint;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Codecs;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;

namespace SipNat.Server.Tests.Hosting;

/// <summary>When a session is told to be over, on a disk that takes its time.</summary>
public sealed class EndingSessionsTests : IAsyncDisposable
{
    private const string Path = "/recordings/a/stream-1.wav";

    private readonly VirtualTime _clock = new();
    private readonly TestDisk _disk = new();
    private readonly AudioFileWriter _writer;
    private readonly ManualResetEventSlim _moves = new();
    private readonly List<string> _told = [];
    private readonly EndingSessions _ending;

    public EndingSessionsTests()
    {
        _writer = new(new(), _clock, _disk);
        _ending = new(_clock, TellFaults, (snapshot, wallStart) => _told.Add($"{snapshot.Id.Value} {wallStart:HH:mm:ss}"));
    }

    [Fact]
    public void A_session_without_files_is_told_at_the_next_look()
    {
        _ending.Add(Snapshot("a"), VirtualTime.Start, []);
        Assert.True(_ending.IsWaiting);

        _ending.Poll();

        Assert.False(_ending.IsWaiting);
        Assert.Equal(["a 12:00:00"], _told);
    }

    [Fact]
    public async Task A_session_is_told_when_its_file_has_its_last_byte_and_no_other_waits_for_it()
    {
        _disk.BeforeWrite = () => _moves.Wait(TestContext.Current.CancellationToken);
        var file = _writer.Open(Path, AudioCodec.Pcmu);
        _writer.Close(file, 160);
        _ending.Add(Snapshot("a"), VirtualTime.Start, [file]);
        _ending.Add(Snapshot("b"), VirtualTime.Start, []);

        _ending.Poll();
        Assert.Equal(["b 12:00:00"], _told);
        Assert.True(_ending.IsWaiting);

        _moves.Set();
        await _writer.DrainAsync(TestContext.Current.CancellationToken);
        _ending.Poll();

        Assert.Equal(["b 12:00:00", "Refused", "Resumed", "a 12:00:00"], _told);
        Assert.Equal(160 + new AudioFileFormat.Wave(AudioCodec.Pcmu).HeaderLength, _disk.LengthOf(Path));
    }

    [Fact]
    public void A_session_whose_file_hangs_is_told_after_five_seconds()
    {
        _disk.BeforeWrite = () => _moves.Wait(TestContext.Current.CancellationToken);
        var file = _writer.Open(Path, AudioCodec.Pcmu);
        _writer.Close(file, 0);
        _ending.Add(Snapshot("a"), VirtualTime.Start, [file]);

        _clock.Milliseconds += (long)EndingSessions.Patience.TotalMilliseconds - 1;
        _ending.Poll();
        Assert.Empty(_told);

        _clock.Milliseconds++;
        _ending.Poll();
        Assert.Equal(["a 12:00:00"], _told);
        _moves.Set();
    }

    [Fact]
    public void The_end_of_the_program_tells_them_all()
    {
        var file = _writer.Open(Path, AudioCodec.Pcmu);
        _ending.Add(Snapshot("a"), VirtualTime.Start, [file]);

        _ending.Flush();

        Assert.Equal(["a 12:00:00"], _told);
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        _moves.Dispose();
    }

    private void TellFaults()
    {
        while (_writer.TryTakeFault(out var fault)) _told.Add(fault.GetType().Name);
    }

    private static RecordingSnapshot Snapshot(string id) => new(
        new SessionId(id), RecordingState.Complete, new Instant(0), new Instant(TimeSpan.TicksPerSecond), null, "call@example.com",
        TransportAddress.Parse("192.0.2.1:5060"), [], [], [], [], [], [], [], []);
}
