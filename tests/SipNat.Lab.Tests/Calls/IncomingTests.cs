using SipNat.NatLab.Audio;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>Calls that come in to an account behind a NAT.</summary>
public sealed class IncomingTests
{
    private const string OwnUri = $"sip:{ICallClient.User}@{Provider.Address}";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Talk = TimeSpan.FromSeconds(4);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NatBehaviour.PortRestricted, ProviderKind.Latching)]
    [InlineData(NatBehaviour.FullCone, ProviderKind.Strict)]
    public async Task A_server_that_echoes_calls_gives_back_what_was_said(NatBehaviour nat, ProviderKind kind)
    {
        await using var scene = await CallScene.CreateAsync(new() { Left = nat }, new(kind));
        await using var server = scene.Client.StartServer(("Accounts:0:Incoming", "Echo"));
        await server.WaitForTextAsync("registered at", Limit, Cancel);

        await scene.Telephone.DialAsync(OwnUri, Cancel);
        await scene.Telephone.WaitForTextAsync("Call established", Limit, Cancel);
        await Task.Delay(Talk, Cancel);
        await scene.Telephone.HangUpAsync(Cancel);

        var found = CallScene.Compare(await scene.Telephone.TakeHeardAsync(Cancel), 0, CallScene.TelephoneSignal);
        CallScene.AssertHeard(found, 2, server);
        Assert.InRange(found.Offset!.Value.TotalSeconds, 0, 0.5);
    }

    [Fact]
    public async Task A_server_that_records_calls_has_what_both_sides_said()
    {
        await using var scene = await CallScene.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, new(ProviderKind.Latching));
        await using var server = scene.Client.StartServer(("Accounts:0:Incoming", "Record"), ("Accounts:0:Play", scene.Client.SignalFile));
        await server.WaitForTextAsync("registered at", Limit, Cancel);

        await scene.Telephone.DialAsync(OwnUri, Cancel);
        await scene.Telephone.WaitForTextAsync("Call established", Limit, Cancel);
        await Task.Delay(Talk, Cancel);
        await scene.Telephone.HangUpAsync(Cancel);

        WaveFile? recorded = null;
        for (var tries = 0; recorded is null && tries < 20; tries++) recorded = await scene.Client.ExportAsync(Cancel);
        Assert.Equal(2, recorded?.Channels.Count);
        CallScene.AssertHeard(CallScene.Compare(recorded, 0, CallScene.TelephoneSignal), 2, server);
        CallScene.AssertHeard(CallScene.Compare(recorded, 1, ICallClient.Signal), 2, server);
    }

    [Theory]
    [InlineData(ProviderKind.Latching)]
    [InlineData(ProviderKind.Strict)]
    public async Task A_call_comes_in_after_a_silence_of_many_lifetimes_of_the_router(ProviderKind kind)
    {
        await using var scene = await CallScene.CreateAsync(new() { UdpTimeout = TimeSpan.FromSeconds(6) }, new(kind), settings: [("Nat:Keepalive", "00:00:04")]);
        await scene.Client.ListenAsync(Talk, Cancel);
        await Task.Delay(TimeSpan.FromSeconds(30), Cancel);

        await scene.Telephone.DialAsync(OwnUri, Cancel);
        await scene.Telephone.WaitForTextAsync("Call established", Limit, Cancel);
        await Task.Delay(Talk, Cancel);
        await scene.Telephone.HangUpAsync(Cancel);

        var call = await scene.Client.FinishAsync(Cancel);
        var heard = CallScene.Compare(await scene.Telephone.TakeHeardAsync(Cancel), 0, ICallClient.Signal);
        Assert.True(heard.IsHeard(TimeSpan.FromSeconds(2)), $"{heard}\n{call.Told}");
        Assert.True(CallScene.Compare(call.Heard, call.Channel, CallScene.TelephoneSignal).IsHeard(TimeSpan.FromSeconds(2)), call.Told);
    }
}
