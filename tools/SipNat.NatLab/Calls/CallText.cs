using System.Globalization;
using System.Text;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Calls;

/// <summary>The outcomes as a page.</summary>
internal static class CallText
{
    /// <param name="client">The program that was tried.</param>
    /// <param name="machine">Where it was run.</param>
    public static string Page(IReadOnlyList<CallOutcome> outcomes, string client, string machine)
    {
        var text = new StringBuilder();
        text.Append(
            $"""
            # Calls through NATs

            `{client}` behind a router of real kernel NAT, with an account at a provider, calls a telephone of another make there (baresip)
            and is called by it. Both play a signal and keep what they hear; each field says how what was heard differs from what was
            played: the signal-to-noise ratio (PCMU alone leaves 37 dB), where the signal begins in what was heard (below zero: that
            much of its beginning was lost), and the time from the first audio packet that the end sent itself to the first that it
            got (below zero where the other side's came first). "There" is what the telephone heard, "back" what `{client}` heard; where
            nothing is predicted and nothing was heard, the field has "–".

            A *latching* provider mends the addresses of its clients and relays their media to where they come from (Kamailio with
            rtpengine); a *strict* one believes Contact, Via and session description as told over UDP, and media go from end to end,
            to a telephone that learns no address from packets. The client knows a STUN and TURN server (coturn), by UDP and TCP.
            With SRTP the telephone takes encrypted calls only: keys are offered over TLS, and over UDP and TCP only taken.

            Made by `dotnet run -c Release --project tools/SipNat.NatLab -- calls --write docs/call-matrix.md`, {machine}. What is possible
            is predicted from the NAT, the transport and the provider alone; {outcomes.Count(o => o.IsAsPredicted)} of {outcomes.Count} cases are as predicted, {outcomes.Count(o => o.Attempts > 1)} of them at the second attempt (marked ²).


            """.ReplaceLineEndings("\n"));
        foreach (var group in outcomes.GroupBy(outcome => outcome.Case.Provider)) AppendTable(text, group.Key, [.. group]);
        return text.ToString();
    }

    /// <summary>One case in a line, and what was heard and said in it where it is not as predicted.</summary>
    public static string Line(CallOutcome outcome)
    {
        var line = $"{outcome.Case.Name}: out {Hearing(outcome.Out.Far)} / {Hearing(outcome.Out.Near)}; in {Hearing(outcome.In.Far)} / {Hearing(outcome.In.Near)}";
        return outcome.IsAsPredicted ? line : $"{line}: NOT AS PREDICTED\n{Details("out", outcome.Out)}{Details("in", outcome.In)}  {outcome.Failure}";
    }

    private static string Details(string name, CallResult call) =>
        $"  {name}: there {call.Far.Audio?.ToString() ?? "nothing"}\n  {name}: back {call.Near.Audio?.ToString() ?? "nothing"}\n  {name}: {call.Told}\n";

    private static void AppendTable(StringBuilder text, ProviderKind provider, List<CallOutcome> outcomes)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {(provider is ProviderKind.Latching ? "Latching" : "Strict")} provider\n\n");
        text.Append("| NAT | SIP | media | call out: there | call out: back | call in: there | call in: back |\n|---|---|---|---|---|---|---|\n");
        foreach (var outcome in outcomes)
        {
            var mark = (outcome.Attempts > 1 ? " ²" : "") + (outcome.IsAsPredicted ? "" : $" **predicted {Predicted(outcome.Case.IsPredictedOut)} out and {Predicted(outcome.Case.IsPredictedIn)} in**");
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {outcome.Case.Nat.Name}{mark} | {outcome.Case.Transport.Name.ToUpperInvariant()} | {outcome.Case.Media} | {Hearing(outcome.Out.Far)} | {Hearing(outcome.Out.Near)} | {Hearing(outcome.In.Far)} | {Hearing(outcome.In.Near)} |\n");
        }

        text.Append('\n');
    }

    private static string Predicted(bool possible) => possible ? "audio" : "nothing";

    private static string Hearing(CallHearing hearing)
    {
        if (hearing.Audio is not { First: not null } audio) return "–";

        var flaws = audio.Cuts.Count > 0 ? $", {audio.Cuts.Count} cuts" : "";
        var length = hearing.IsEqual || audio.Cuts.Count > 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {audio.Matched.TotalSeconds:F1} s");
        return string.Create(CultureInfo.InvariantCulture, $"{audio.SnrDb:F0} dB, {audio.Offset!.Value.TotalMilliseconds:F0} ms, {hearing.Until?.TotalMilliseconds ?? double.NaN:F0} ms{flaws}{length}");
    }
}
