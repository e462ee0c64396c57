using SipNat.Endpoint;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;

namespace SipNat.Fuzz.Dialogs;

/// <summary>Whoever decides on the calls of a scene, as the script says: at any moment, whether it makes sense or not.</summary>
internal sealed class CallOwner(DialogScene scene)
{
    private static readonly SipUri[] Targets =
        [.. new[] { "sip:c@192.0.2.20", "sip:c@192.0.2.21:5060", "sip:c@host.example", "sip:s@203.0.113.9", "sips:c@192.0.2.20" }.Select(SipUri.Parse)];

    private static readonly int[] Statuses = [480, 486, 603];
    private static readonly string[] Digits = ["5", "*#,1", "", "ABCD0123456789"];

    private readonly List<SessionId> _calls = [];
    private readonly HashSet<SessionId> _complete = [];

    /// <summary>Calls that were told of and are not complete.</summary>
    public int Count => _calls.Count;

    /// <summary>Takes a call after a change.</summary>
    public void Know(CallSnapshot call)
    {
        Invariant.Holds(!_complete.Contains(call.Id), "Nothing follows the word that a call is complete.");
        Invariant.Holds(call.IsComplete || call.State is not CallState.Over, "A call that is over is complete.");
        scene.Note(16 + (int)call.State);
        if (!_calls.Contains(call.Id) && !call.IsComplete) _calls.Add(call.Id);
        if (!call.IsComplete) return;

        _calls.Remove(call.Id);
        _complete.Add(call.Id);
    }

    public void Step(ref Script script)
    {
        var decision = script.Next(12);
        var now = scene.Now;
        if (decision == 0)
        {
            scene.Core.PlaceCall(now, new() { Target = Targets[script.Next(Targets.Length)], Terms = Terms(ref script), OffersLater = script.Next(4) == 0 });
        }
        else if (_calls.Count > 0)
        {
            Decide(ref script, decision, _calls[script.Next(_calls.Count)]);
        }

        scene.Serve();
    }

    /// <summary>Whether a call is recorded, and who may pause it.</summary>
    public static CallTerms Terms(ref Script script) => new() { Recording = (CallRecording)script.Next(3), ObeysPreference = script.NextBool() };

    private void Decide(ref Script script, int decision, SessionId call)
    {
        var (core, now) = (scene.Core, scene.Now);
        switch (decision)
        {
            case 1 or 2 or 3 or 4:
                core.AcceptCall(now, call);
                break;
            case 5:
                core.RejectCall(now, call, Statuses[script.Next(Statuses.Length)]);
                break;
            case 6:
                core.HangUpCall(now, call, "Enough.");
                break;
            case 7:
                core.HoldCall(now, call, script.NextBool());
                break;
            case 8:
                core.TransferCall(now, call, Targets[script.Next(Targets.Length)], script.NextBool() ? _calls[script.Next(_calls.Count)] : null);
                break;
            case 9:
                core.SendCallDigit(now, call, (char)script.NextByte());
                break;
            case 10:
                _ = script.NextBool() ? core.TryPause(now, call) : core.TryResume(now, call);
                break;
            default:
                scene.Plane.HandleCommand(now, script.Next(3) switch
                {
                    0 => new MediaCommand.Play(call, script.Next(2), script.NextBool() ? new AudioSource.Tone([440]) : new AudioSource.Echo()),
                    1 => new MediaCommand.SendDigits(call, script.Next(2), Digits[script.Next(Digits.Length)], (DigitTransport)script.Next(2)),
                    _ => new MediaCommand.KeepOpen(call),
                });
                break;
        }
    }
}
