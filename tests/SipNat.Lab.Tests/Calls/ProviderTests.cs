using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>The laboratory itself: two telephones of another make with the provider between them, before anything of ours is judged by it.</summary>
[Collection(nameof(Alone))]
public sealed class ProviderTests
{
    private const int Caller = 1;
    private const int Called = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Talk = TimeSpan.FromSeconds(3);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NatBehaviour.Symmetric, ProviderKind.Latching, CallTransport.Udp, false)]
    [InlineData(NatBehaviour.PortRestricted, ProviderKind.Latching, CallTransport.Tls, true)]
    [InlineData(NatBehaviour.Open, ProviderKind.Strict, CallTransport.Tcp, false)]
    [InlineData(NatBehaviour.Open, ProviderKind.Strict, CallTransport.Udp, true)]
    public async Task Two_telephones_of_another_make_hear_each_other_in_calls_both_ways(NatBehaviour nat, ProviderKind kind, CallTransport transport, bool encrypted)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = nat, Right = NatBehaviour.Open }, [.. Provider.Programs, BaresipPhone.Program, MediaWatch.Program]);
        await using var provider = await Provider.StartAsync(lab, new(kind), Cancel);
        await using var far = await BaresipPhone.StartAsync(lab.Host("hostB"), provider, new("200", Called) { Transport = transport, IsEncrypted = encrypted }, Cancel);
        await using var near = await BaresipPhone.StartAsync(lab.Host("hostA"), provider, new("100", Caller) { Transport = transport, IsEncrypted = encrypted }, Cancel);
        await using var watch = await MediaWatch.StartAsync(lab.Host("hostA"), Cancel);

        foreach (var (phone, other, target) in new[] { (near, far, Provider.TestNumber), (far, near, "100") })
        {
            var begun = MediaWatch.Now;
            await phone.DialAsync($"sip:{target}@{Provider.Address}", Cancel);
            await other.WaitForTextAsync("Call established", Limit, Cancel);
            await Task.Delay(Talk, Cancel);
            await phone.HangUpAsync(Cancel);

            await AssertEqualAsync(far, Caller);
            await AssertEqualAsync(near, Called);
            Assert.InRange(watch.UntilHeard(begun)!.Value.TotalSeconds, -1, 1);
        }
    }

    [Fact]
    public async Task A_strict_provider_sends_to_the_private_address_that_it_is_told_so_that_nothing_is_heard_behind_a_nat()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted, Right = NatBehaviour.Open }, [.. Provider.Programs, BaresipPhone.Program]);
        await using var provider = await Provider.StartAsync(lab, new(ProviderKind.Strict), Cancel);
        await using var far = await BaresipPhone.StartAsync(lab.Host("hostB"), provider, new("200", Called), Cancel);
        await using var near = await BaresipPhone.StartAsync(lab.Host("hostA"), provider, new("100", Caller), Cancel);

        await near.DialAsync($"sip:{Provider.TestNumber}@{Provider.Address}", Cancel);
        await near.WaitForTextAsync("Call established", Limit, Cancel);
        await Task.Delay(Talk, Cancel);
        await near.HangUpAsync(Cancel);

        await AssertEqualAsync(far, Caller);
        Assert.Null(await near.TakeHeardAsync(Cancel));
    }

    private static async Task AssertEqualAsync(BaresipPhone phone, int signal)
    {
        var heard = await phone.TakeHeardAsync(Cancel);
        Assert.True(heard is not null, phone.Log);
        var found = AudioComparison.Of(new SpeechSignal(signal).Samples(heard.Rate, TimeSpan.FromSeconds(20)), heard.Channels[0], heard.Rate);
        Assert.True(found.IsEqual(TimeSpan.FromSeconds(2), leastSnrDb: 35), $"{found}\n{phone.Log}");
    }
}
