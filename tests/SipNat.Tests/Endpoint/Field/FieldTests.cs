using SipNat.Simulation;
using SipNat.Simulation.Recorder;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>
/// What recording clients of the field send, message by message, against the whole recorder. Beside each case's messages
/// in tests/corpora/siprec lies what must come of them: the answers, the recording, the findings and the timeline.
/// </summary>
public sealed class FieldTests
{
    private static readonly TimeSpan LongEnoughForFindings = TimeSpan.FromSeconds(7);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_conversation_of_the_field_comes_to_what_is_written_beside_it(string name) => FieldCase.Check(name, FieldCase.Run(name, OptionsOf(name), ActOf(name)));

    [Theory]
    [InlineData("media-other-payload-type")]
    [InlineData("media-other-port")]
    [InlineData("media-before-the-answer")]
    [InlineData("media-twice")]
    [InlineData("media-two-sources")]
    [InlineData("media-from-elsewhere")]
    [InlineData("media-never-acknowledged")]
    public void Media_that_is_not_what_was_said_comes_to_what_is_written_beside_it(string name) =>
        FieldCase.Check(name, FieldCase.Run("media", OptionsOf(name)));

    public static TheoryData<string> Cases => [.. FieldCase.Names];

    private static FieldPeerOptions OptionsOf(string name) => name switch
    {
        "freeswitch" => new() { SourcePortOffset = 500, Interval = LongEnoughForFindings },
        "cisco-cucm" => new() { PayloadType = 8 },
        "media-relay" => new() { MediaAddress = "203.0.113.77", Interval = LongEnoughForFindings },
        "glare-ours" => new() { RefusesOffers = 1, Interval = TimeSpan.FromSeconds(9) },
        "glare-theirs" => new() { AnswersAfter = TimeSpan.FromSeconds(1.4), Interval = TimeSpan.FromSeconds(4) },
        "glare-both" => new() { Interval = TimeSpan.FromSeconds(4) },
        "media-other-payload-type" => new() { PayloadType = 8, Interval = LongEnoughForFindings },
        "media-other-port" => new() { SourcePortOffset = 500, Interval = LongEnoughForFindings },
        "media-before-the-answer" => new() { SendsEarly = true },
        "media-twice" => new() { SendsTwice = true, Interval = LongEnoughForFindings },
        "media-two-sources" => new() { HasSecondSource = true, Interval = LongEnoughForFindings },
        "media-from-elsewhere" => new() { MediaAddress = "203.0.113.77", Interval = LongEnoughForFindings },
        "media-never-acknowledged" => new() { LosesAcks = true, Interval = TimeSpan.FromSeconds(40) },
        _ => new(),
    };

    // In the last one the operator pauses while the client's re-INVITE is on its way.
    private static Action<SimulatedNetwork, SimulatedRecorder>? ActOf(string name) => name switch
    {
        "glare-ours" => FieldOperator.PauseAndResume(3, 7),
        "glare-theirs" => FieldOperator.PauseAndResume(3, 9),
        "glare-both" => FieldOperator.PauseAndResume(4.005, 9),
        _ => null,
    };
}
