using SipNat.Server.MediaEngine;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

public sealed class MediaPortAllocatorTests
{
    private static readonly TransportAddress Local = TransportAddress.Parse("127.0.0.1:0");

    [Fact]
    public void No_more_streams_are_opened_than_the_process_has_descriptors_for_and_the_reason_says_so()
    {
        var ports = new MediaPortAllocator(42_000, 42_099, 0, maxStreams: 2);
        var (first, second) = (ports.TryBind(Local, out _)!.Value, ports.TryBind(Local, out _)!.Value);

        Assert.Null(ports.TryBind(Local, out var reason));
        Assert.Equal("2 streams are all that the limit of open files (RLIMIT_NOFILE) has room for, 3 for each", reason);

        var freed = TransportAddress.From((System.Net.IPEndPoint)first.Rtp.LocalEndPoint!);
        first.Rtp.Dispose();
        first.Rtcp.Dispose();
        ports.Release(freed);
        var third = ports.TryBind(Local, out _)!.Value;
        foreach (var socket in new[] { second.Rtp, second.Rtcp, third.Rtp, third.Rtcp }) socket.Dispose();
    }

    [Theory]
    [InlineData("Max open files            20000                20000                files     ", 20_000)]
    [InlineData("Max open files            1024                 1048576              files     ", 1_024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    public void The_limit_is_what_the_system_says(string line, int? limit) => Assert.Equal(limit, DescriptorLimit.Read(line)); // proc(5)

    [Fact]
    public void A_small_limit_has_room_for_a_stream_at_least()
    {
        Assert.Equal((null, 6_496, 1), (DescriptorLimit.StreamsOf(null), DescriptorLimit.StreamsOf(20_000), DescriptorLimit.StreamsOf(256)));
    }
}
