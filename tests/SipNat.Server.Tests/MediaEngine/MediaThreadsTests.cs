using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.MediaEngine;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

public sealed class MediaThreadsTests : IAsyncDisposable
{
    private static readonly TransportAddress Local = TransportAddress.Parse("127.0.0.1:0");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Channel<MediaEvent> _events = Channel.CreateUnbounded<MediaEvent>();
    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private MediaThreads? _threads;

    public async ValueTask DisposeAsync()
    {
        if (_threads is not null) await _threads.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task A_session_is_given_to_the_thread_with_the_fewest_streams_and_stays_there()
    {
        var threads = Start(3, new(43_000, 43_199, 0));

        await OpenAsync("a", 2);
        await OpenAsync("b", 1);
        await OpenAsync("c", 2);
        await OpenAsync("d", 2);
        Assert.Equal([2, 3, 2], threads.Streams);

        threads.TryPost(new MediaCommand.AddPorts(new("a"), 3));
        Assert.Equal(5, Assert.IsType<MediaEvent.Opened>(await NextAsync()).Ports.Count);
        Assert.Equal([5, 3, 2], threads.Streams);

        // What a session leaves is room for others.
        await CloseAsync("b");
        await CloseAsync("d");
        Assert.Equal([5, 0, 2], threads.Streams);
        await OpenAsync("e", 1);
        Assert.Equal([5, 1, 2], threads.Streams);
    }

    [Fact]
    public async Task A_session_that_gets_no_ports_takes_no_place()
    {
        var threads = Start(2, new(43_200, 43_299, 0, maxStreams: 1));

        await OpenAsync("a", 1);
        threads.TryPost(new MediaCommand.Open(new("b"), Local, 1));
        Assert.Equal(new("b"), Assert.IsType<MediaEvent.Refused>(await NextAsync()).Session);
        Assert.Equal([1, 0], threads.Streams);

        // One that is open and is refused more stays where it is.
        threads.TryPost(new MediaCommand.AddPorts(new("a"), 1));
        Assert.Equal(new("a"), Assert.IsType<MediaEvent.Refused>(await NextAsync()).Session);
        await CloseAsync("a");
        Assert.Equal([0, 0], threads.Streams);
    }

    [Fact]
    public void A_command_for_a_session_that_is_not_placed_goes_nowhere()
    {
        var threads = Start(2, new(43_300, 43_399, 0));

        Assert.True(threads.TryPost(new MediaCommand.AddPorts(new("nobody"), 1)));
        Assert.True(threads.TryPost(new MediaCommand.Close(new("nobody"), PeerIsGone: false)));
        Assert.Equal([0, 0], threads.Streams);
    }

    [Fact]
    public async Task What_is_told_to_all_reaches_each_plane_once()
    {
        var threads = Start(4, new(43_400, 43_499, 0));
        var planes = Channel.CreateUnbounded<MediaPlane>();

        threads.Post((_, plane) => planes.Writer.TryWrite(plane));
        var told = new HashSet<MediaPlane>();
        for (var i = 0; i < 4; i++) told.Add(await planes.Reader.ReadAsync(_deadline.Token));

        Assert.Equal(4, told.Count);
    }

    private MediaThreads Start(int count, MediaPortAllocator ports)
    {
        _deadline.CancelAfter(Limit);
        var flows = new FlowIds();
        _threads = new(count, MakeThread, happened => _events.Writer.TryWrite(happened));
        _threads.Start();
        return _threads;

        MediaThread MakeThread(Action<MediaEvent> tell) => new(
            MediaEngineKind.Auto,
            new(new() { SparePorts = 0 }, new SecureRandom()),
            _clock,
            flows,
            ports,
            new(TlsTrust.System, Limit, NullLogger<TurnConnections>.Instance),
            tell,
            static write => write.Buffer?.Dispose());
    }

    private async Task OpenAsync(string session, int streams)
    {
        Assert.True(_threads!.TryPost(new MediaCommand.Open(new(session), Local, streams)));
        var opened = Assert.IsType<MediaEvent.Opened>(await NextAsync());
        Assert.Equal((new SessionId(session), streams), (opened.Session, opened.Ports.Count));
    }

    private async Task CloseAsync(string session)
    {
        Assert.True(_threads!.TryPost(new MediaCommand.Close(new(session), PeerIsGone: false)));
        Assert.Equal(new(session), Assert.IsType<MediaEvent.Closed>(await NextAsync()).Session);
    }

    private async Task<MediaEvent> NextAsync() => await _events.Reader.ReadAsync(_deadline.Token);
}
