namespace SipNat.NatLab.Calls;

/// <summary>baresip in the client's place: it shows what the laboratory does to a program without our NAT traversal.</summary>
public sealed class BaresipClient(BaresipPhone phone) : ICallClient
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    public static async Task<ICallClient> StartAsync(NatLaboratory lab, Provider provider, CallCase tried, CancellationToken stop)
    {
        var options = new BaresipOptions(ICallClient.User, ICallClient.Signal) { Transport = tried.Transport, IsEncrypted = tried.IsEncrypted };
        return new BaresipClient(await BaresipPhone.StartAsync(lab.Host(LabNetwork.LeftHost), provider, options, stop));
    }

    public async Task<ClientCall> CallAsync(string uri, TimeSpan talk, CancellationToken stop)
    {
        await phone.DialAsync(uri, stop);
        await phone.WaitForTextAsync("Call established", AnswerLimit, stop);
        await Task.Delay(talk, stop);
        await phone.HangUpAsync(stop);
        return await FinishAsync(stop);
    }

    public Task ListenAsync(TimeSpan talk, CancellationToken stop) => Task.CompletedTask;

    public async Task<ClientCall> FinishAsync(CancellationToken stop) => new(await phone.TakeHeardAsync(stop), 0, "");

    public ValueTask DisposeAsync() => phone.DisposeAsync();
}
