using System.Net;
using System.Text.Json;
using SipNat.NatLab;
using SipNat.NatLab.Ice;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Ice;

/// <summary>Our ICE agent and those of others on real sockets, through the kernel's NAT, with coturn.</summary>
public sealed class IceInteropTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    // The kernel's full cone takes two port-restricted or symmetric peers; two symmetric ones need a relay.
    [Theory]
    [InlineData(IceMake.Ours, IceMake.Aioice, NatBehaviour.PortRestricted, NatBehaviour.PortRestricted, false)]
    [InlineData(IceMake.Aioice, IceMake.Ours, NatBehaviour.PortRestricted, NatBehaviour.FullCone, false)]
    [InlineData(IceMake.Ours, IceMake.Libnice, NatBehaviour.PortRestricted, NatBehaviour.PortRestricted, false)]
    [InlineData(IceMake.Libnice, IceMake.Ours, NatBehaviour.Symmetric, NatBehaviour.FullCone, false)]
    [InlineData(IceMake.Ours, IceMake.Aioice, NatBehaviour.Symmetric, NatBehaviour.Symmetric, true)]
    [InlineData(IceMake.Aioice, IceMake.Ours, NatBehaviour.Symmetric, NatBehaviour.Symmetric, true)]
    [InlineData(IceMake.Ours, IceMake.Libnice, NatBehaviour.Symmetric, NatBehaviour.Symmetric, true)]
    [InlineData(IceMake.Libnice, IceMake.Ours, NatBehaviour.Symmetric, NatBehaviour.Symmetric, true)]
    [InlineData(IceMake.Ours, IceMake.Ours, NatBehaviour.Symmetric, NatBehaviour.Symmetric, true)]
    public async Task Agents_of_two_makes_connect_and_media_pass_both_ways(IceMake controlling, IceMake controlled, NatBehaviour left, NatBehaviour right, bool isRelayed)
    {
        await using var scene = await IceLab.CreateAsync(left, right, controlling, controlled);
        await using var one = await scene.StartAsync(controlling, isControlling: true, isRelayed, "--seconds", "5");
        await using var other = await scene.StartAsync(controlled, isControlling: false, isRelayed, "--seconds", "5");

        var (first, second) = (await one.SummaryAsync(Limit, Stop), await other.SummaryAsync(Limit, Stop));

        foreach (var peer in new[] { one, other })
        {
            var connected = peer.Find("connected")!.Value;
            Assert.Equal(isRelayed, $"{connected.GetProperty("local")} {connected.GetProperty("remote")}".Contains("relay", StringComparison.Ordinal));
        }

        // Each sends 50 packets a second until five seconds after it has connected; libnice takes two to connect.
        Assert.True(Received(first) >= 50 && Received(second) >= 50, $"{first} {second}");
    }

    [Fact]
    public async Task A_path_is_dead_within_two_seconds_where_media_stop()
    {
        await using var scene = await IceLab.CreateAsync(NatBehaviour.PortRestricted, NatBehaviour.PortRestricted);
        await using var one = await scene.StartAsync(IceMake.Ours, isControlling: true, usesTurn: false, "--seconds", "12");
        await using var other = await scene.StartAsync(IceMake.Ours, isControlling: false, usesTurn: false, "--seconds", "12");
        await Task.WhenAll(one.WaitForAsync("connected", Limit, Stop), other.WaitForAsync("connected", Limit, Stop));
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);

        other.Kill();

        var lost = await one.WaitForAsync("lost", Limit, Stop);
        Assert.InRange(lost.GetProperty("ms").GetDouble(), 1500, 2600);
    }

    // By a fifth of the default times: 30 s are 6 s.
    [Fact]
    public async Task Without_media_consent_ends_when_its_time_is_up()
    {
        string[] times = ["--no-media", "--consent", "1", "--consent-timeout", "6", "--seconds", "15"];
        await using var scene = await IceLab.CreateAsync(NatBehaviour.PortRestricted, NatBehaviour.PortRestricted);
        await using var one = await scene.StartAsync(IceMake.Ours, isControlling: true, usesTurn: false, times);
        await using var other = await scene.StartAsync(IceMake.Ours, isControlling: false, usesTurn: false, times);
        await Task.WhenAll(one.WaitForAsync("connected", Limit, Stop), other.WaitForAsync("connected", Limit, Stop));

        var killed = DateTime.UtcNow;
        other.Kill();

        await one.WaitForAsync("lost", Limit, Stop);
        Assert.InRange((DateTime.UtcNow - killed).TotalSeconds, 4.5, 6.9);
    }

    [Theory]
    [InlineData(IceMake.Ours, NatBehaviour.PortRestricted, "natA")]
    [InlineData(IceMake.Ours, NatBehaviour.PortRestricted, "natB")]
    [InlineData(IceMake.Libnice, NatBehaviour.PortRestricted, "natA")]
    // libnice does not ask again how it is seen: only a router that lets everybody in lets its new address in.
    [InlineData(IceMake.Libnice, NatBehaviour.FullCone, "natB")]
    public async Task A_router_that_gets_another_address_costs_three_seconds_of_media_at_most(IceMake controlled, NatBehaviour left, string router)
    {
        const IceMake controlling = IceMake.Ours;
        await using var scene = await IceLab.CreateAsync(left, NatBehaviour.PortRestricted, controlling, controlled);
        await using var one = await scene.StartAsync(controlling, isControlling: true, usesTurn: false, "--seconds", "10");
        await using var other = await scene.StartAsync(controlled, isControlling: false, usesTurn: false, "--seconds", "10");
        await Task.WhenAll(one.WaitForAsync("connected", Limit, Stop), other.WaitForAsync("connected", Limit, Stop));
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);

        await scene.Laboratory.Router(router).RenumberAsync(IPAddress.Parse("203.0.113.77"), Stop);

        foreach (var summary in new[] { await one.SummaryAsync(Limit, Stop), await other.SummaryAsync(Limit, Stop) })
        {
            Assert.InRange(summary.GetProperty("longestGapMs").GetDouble(), 100, 3000);
            // Of ten seconds, in which libnice is two late; with no more after the change it would be some 150.
            Assert.InRange(Received(summary), 230, 600);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static int Received(JsonElement summary) => summary.GetProperty("received").GetInt32();

    /// <summary>A laboratory with coturn, and a folder for the descriptions.</summary>
    private sealed class IceLab : IAsyncDisposable
    {
        private readonly LabProcess _coturn;
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sipnat-ice-");

        private IceLab(NatLaboratory laboratory, LabProcess coturn) => (Laboratory, _coturn) = (laboratory, coturn);

        public NatLaboratory Laboratory { get; }

        public static async Task<IceLab> CreateAsync(NatBehaviour left, NatBehaviour right, params IceMake[] makes)
        {
            var laboratory = await Scene.Laboratory.CreateAsync(new() { Left = left, Right = right }, [CoturnServer.Program, .. makes.SelectMany(IcePeer.RequirementsOf)]);
            try
            {
                return new(laboratory, await CoturnServer.StartAsync(laboratory, Stop, IcePeer.TurnArguments));
            }
            catch
            {
                await laboratory.DisposeAsync();
                throw;
            }
        }

        public Task<IcePeer> StartAsync(IceMake make, bool isControlling, bool usesTurn, params string[] arguments) =>
            IcePeer.StartAsync(make, Laboratory.Host(isControlling ? "hostA" : "hostB"), isControlling, _folder.FullName, usesTurn, Stop, arguments);

        public async ValueTask DisposeAsync()
        {
            await _coturn.DisposeAsync();
            await Laboratory.DisposeAsync();
            _folder.Delete(recursive: true);
        }
    }
}
