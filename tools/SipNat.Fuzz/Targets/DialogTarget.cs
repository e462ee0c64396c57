using SipNat.Fuzz.Dialogs;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>
/// The whole recorder without its sockets and files: one client records as it should, and beside it a stranger sends
/// requests, answers, media and STUN, opens and closes connections, lets ports wait and moves the clock forward.
/// </summary>
internal sealed class DialogTarget : IFuzzTarget
{
    public string Name => "dialog";

    public string Promise => "the recording in progress has every frame in its place; sessions keep their cap and all end; nothing is due after a timeout; everything rented is given back";

    public int MaxLength => 1024;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(32, 384);

    public long AllowedBytes(int inputLength) => (32L * 1024 * 1024) + (256L * 1024 * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var scene = new DialogScene(ref script);
        var client = new RecordingClient(scene);
        var stranger = new Stranger(scene, script.NextByte());
        (scene.Client, scene.Stranger) = (client, stranger);

        client.Begin();
        while (!script.IsOver) stranger.Step(ref script);

        client.End();
        scene.End();
        client.Check();
        return scene.Outcome;
    }
}
