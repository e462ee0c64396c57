using System.Buffers.Binary;
using SipNat.Endpoint.Addressing;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>
/// Many sessions at once over bad paths. SIPNAT_LARGE=1 in the environment runs a thousand of them, which takes longer
/// than the rest of the tests together.
/// </summary>
public sealed class ManySessionsTests
{
    private const int FirstMediaPort = 10000;
    private const int MediaPorts = 10_000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);
    private static readonly TransportAddress RecorderAddress = TransportAddress.Parse(RecorderScene.PrivateRecorder);
    private static readonly NatOptions[] Nats = [NatOptions.FullCone, NatOptions.AddressRestricted, NatOptions.PortRestricted, NatOptions.Symmetric];

    // What reached the recorder's media sockets, by SSRC.
    private readonly Dictionary<uint, HashSet<int>> _arrived = [];

    private static bool IsLarge => Environment.GetEnvironmentVariable("SIPNAT_LARGE") is "1";

    [Fact]
    public void Every_frame_that_arrives_stands_at_its_place()
    {
        var sessions = IsLarge ? 1000 : 30;
        var random = new Random(120);
        var network = new SimulatedNetwork(seed: 120) { Loss = 0.05, Duplication = 0.02, Delay = TimeSpan.FromMilliseconds(15), Jitter = TimeSpan.FromMilliseconds(35) };
        network.Trace = NoteArrival;
        var recorder = AddRecorder(network);
        var peers = Enumerable.Range(0, sessions).Select(i => AddPeer(network, random, i, sessions)).ToDictionary(p => p.CallId);

        var frames = 0L;
        for (var seconds = 0; seconds < 300 && peers.Count > 0; seconds += 5)
        {
            network.RunFor(TimeSpan.FromSeconds(5));
            foreach (var session in recorder.Sessions.Where(s => s.IsComplete && peers[s.Snapshot.CallId].State is ScriptedPeerState.Ended))
            {
                peers.Remove(session.Snapshot.CallId, out var peer);
                frames += AssertFramesStandAtTheirPlaces(peer!, session);
                recorder.Forget(session.Id);
            }
        }

        Assert.Empty(peers);
        Assert.Empty(recorder.Sessions);
        Assert.InRange(frames, sessions * 1800, sessions * 1950);
        network.RunFor(TimeSpan.FromSeconds(70));
        Assert.Equal((0, 0, 0), (recorder.Signalling.Sessions, recorder.Signalling.Transactions, recorder.Media.Sessions));
        network.AssertNothingRented();
    }

    private static SimulatedRecorder AddRecorder(SimulatedNetwork network)
    {
        var nat = network.AddNat(RecorderScene.RecorderNatAddress, NatOptions.Symmetric);
        nat.Forward(5060, RecorderScene.PrivateRecorder);
        nat.Forward(FirstMediaPort, RecorderScene.PrivateRecorder, MediaPorts);
        var options = new SimulatedRecorderOptions
        {
            Seed = 121,
            External = [nat.PublicAddress],
            ForwardedPorts = ForwardedPorts.Same,
            FirstMediaPort = FirstMediaPort,
            LastMediaPort = FirstMediaPort + MediaPorts - 1,
        };
        return SimulatedRecorder.AddTo(network, RecorderScene.PrivateRecorder, options, nat);
    }

    private static ScriptedSipPeer AddPeer(SimulatedNetwork network, Random random, int index, int sessions)
    {
        var options = new ScriptedPeerOptions
        {
            Server = TransportAddress.Parse($"{RecorderScene.RecorderNatAddress}:5060"),
            Seed = 1000 + index,
            Duration = Duration,
            StartAfter = TimeSpan.FromSeconds(random.NextDouble() * Math.Max(1, sessions / 15)),
        };
        var nat = Nats[random.Next(Nats.Length)] with { PortAssignment = (PortAssignment)random.Next(4), RefreshOnInbound = random.Next(2) == 0 };
        return ScriptedSipPeer.AddTo(network, RecorderScene.PrivateClient, options, network.AddNat($"44.{index / 250}.{index % 250}.1", nat));
    }

    private void NoteArrival(PacketRecord packet)
    {
        if (packet.Stage is not PacketStage.Delivered || packet.To.Port < FirstMediaPort || !packet.To.HasSameAddress(RecorderAddress)) return;
        if (packet.Bytes.Length < 12 || !ScriptedFrame.TryRead(packet.Bytes[12..], out _, out var frame)) return;

        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet.Bytes[8..]);
        if (!_arrived.TryGetValue(ssrc, out var frames)) _arrived.Add(ssrc, frames = []);
        frames.Add(frame);
    }

    private int AssertFramesStandAtTheirPlaces(ScriptedSipPeer peer, RecordedSession session)
    {
        var count = 0;
        foreach (var stream in peer.Sent.GroupBy(f => f.Stream))
        {
            var arrived = _arrived[stream.First().Ssrc].Order().ToList();
            var file = session.FileOf(stream.Key);
            Assert.True(file.IsComplete);
            Assert.Equal(arrived.Select(frame => (frame, (frame - arrived[0]) * ScriptedFrame.Length)), file.Frames());
            _arrived.Remove(stream.First().Ssrc);
            count += arrived.Count;
        }

        return count;
    }
}
