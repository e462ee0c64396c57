using SipNat.Fuzz.Dialogs;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>
/// The endpoint's calls without its sockets: their owner accepts, places, holds, transfers, records and hangs up, and a
/// stranger sends requests, answers, media and STUN, valid and broken, in whatever order.
/// </summary>
internal sealed class CallDialogTarget : IFuzzTarget
{
    public string Name => "call-dialog";

    public string Promise => "calls keep their cap and all end, each with one last word; nothing is due after a timeout; everything rented is given back";

    public int MaxLength => 1024;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(32, 384);

    public long AllowedBytes(int inputLength) => (32L * 1024 * 1024) + (256L * 1024 * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var scene = new DialogScene(ref script, CallOwner.Terms(ref script));
        var owner = new CallOwner(scene);
        var stranger = new Stranger(scene, script.NextByte());
        (scene.Owner, scene.Stranger) = (owner, stranger);

        while (!script.IsOver)
        {
            if (script.Next(3) == 0) owner.Step(ref script);
            else stranger.Step(ref script);
        }

        scene.End();
        Invariant.Holds(owner.Count == 0, "The last word on a call is that it is complete.");
        return scene.Outcome;
    }
}
