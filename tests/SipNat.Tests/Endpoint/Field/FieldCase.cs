using SipNat.Simulation;
using SipNat.Simulation.Recorder;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>Plays a case of tests/corpora/siprec and holds what comes of it against its <c>.expected</c> file.</summary>
internal static class FieldCase
{
    private const string Recorder = "198.51.100.10";
    private const double LongestConversation = 60;

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "corpora", "siprec");

    /// <summary>Every case that there are messages of, in order.</summary>
    public static IReadOnlyList<string> Names =>
        [.. Directory.GetFiles(Folder, "*-1-*.dat").Select(path => Path.GetFileName(path)).Select(file => file[..file.IndexOf("-1-", StringComparison.Ordinal)]).Order(StringComparer.Ordinal)];

    /// <summary>The whole conversation as text.</summary>
    /// <param name="act">Arranges what the recorder's operator does, and when.</param>
    public static string Run(string name, FieldPeerOptions? options = null, Action<SimulatedNetwork, SimulatedRecorder>? act = null)
    {
        var messages = FieldMessage.LoadCase(name);
        var network = new SimulatedNetwork(seed: 1) { Delay = TimeSpan.FromMilliseconds(10) };
        var recorder = SimulatedRecorder.AddTo(network, Recorder);
        var peer = FieldPeer.AddTo(network, messages[0].Host, messages, options);

        act?.Invoke(network, recorder);
        network.RunFor(TimeSpan.FromSeconds(LongestConversation));
        Assert.Equal(0, recorder.Signalling.Sessions);
        network.AssertNothingRented();
        return FieldTranscript.Of(peer, recorder.Sessions);
    }

    /// <summary>A conversation that differs is left beside the expected one, to be read and, where it is right, kept.</summary>
    public static void Check(string name, string actual)
    {
        var path = Path.Combine(Folder, $"{name}.expected");
        var expected = File.Exists(path) ? File.ReadAllText(path) : "";
        if (expected != actual) File.WriteAllText(Path.Combine(Folder, $"{name}.actual"), actual);
        Assert.Equal(expected, actual);
    }
}
