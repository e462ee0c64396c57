using SipNat.Bench.Siprec;
using SipNat.Bench.Verification;
using SipNat.NatLab;

namespace SipNat.Lab.Tests.Scene;

/// <summary>A session seen from both ends: what the client sent and what the recorder kept.</summary>
internal sealed record RecordedCall(SiprecClientReport Client, RecordedSession Session, IReadOnlyList<ComparisonResult> Audio)
{
    /// <summary>Runs the client on <c>hostA</c> against a recorder, waits for the recording and compares the two.</summary>
    public static async Task<RecordedCall> RunAsync(NatLaboratory lab, ServerProcess server, params string[] clientArguments)
    {
        await using var client = ClientProcess.Start(lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}", clientArguments);
        return await FinishAsync(client, server);
    }

    /// <summary>The same for a client that runs already.</summary>
    public static async Task<RecordedCall> FinishAsync(ClientProcess client, ServerProcess server)
    {
        var report = await client.ReportAsync();
        Assert.True(report.Result is SiprecOutcome.Recorded, $"{report.ToJson()}\n{server.Log}");
        var session = await server.WaitForRecordingAsync(report.CallId);
        return new(report, session, [.. client.ReadSent().Select(sent => Compare(sent, session, server))]);
    }

    /// <summary>Every sample that was sent stands in the files and nothing else does; no answer had a defect.</summary>
    public void AssertComplete()
    {
        Assert.Empty(Client.Defects);
        Assert.Equal(Client.Streams.Count, Audio.Count);
        Assert.All(Audio, result => Assert.True(result.IsExact, result.ToString()));
        Assert.Equal(Client.Streams.Select(stream => (long)stream.Packets), Session.Streams.Select(stream => stream.Packets));
        Assert.All(Session.Streams, stream => Assert.Equal(0, stream.Lost));
    }

    private static ComparisonResult Compare(SentAudio sent, RecordedSession session, ServerProcess server)
    {
        var stream = Assert.Single(session.Streams, stream => stream.Label == sent.Label);
        var file = Assert.Single(stream.Files);
        return RecordingComparison.Compare(sent, Assert.Single(RecordedAudio.Read(server.PathOf(file))));
    }
}
