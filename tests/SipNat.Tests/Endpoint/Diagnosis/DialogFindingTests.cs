using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Signalling;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>Dialogs and bodies with a fault, each with all that is found of it.</summary>
public sealed class DialogFindingTests
{
    private const string NoMetadata = "metadata-missing: The INVITE brought no recording metadata.";

    private readonly RecorderScene _scene = new(seed: 220);

    private static ScriptedPeerOptions Peer => new() { Server = default, Duration = TimeSpan.FromSeconds(3) };

    [Fact]
    [Plants(FindingCode.MetadataUnreadable)]
    public void Metadata_that_is_no_xml() =>
        AssertFoundOf(Peer with { Metadata = "<recording" }, "metadata-unreadable: The metadata cannot be read (Malformed); it is kept as it came.");

    [Fact]
    [Plants(FindingCode.MetadataMissing)]
    public void An_invite_without_metadata() => AssertFoundOf(Peer with { HasMetadata = false }, NoMetadata);

    [Fact]
    [Plants(FindingCode.LabelWithoutMedia)]
    [Plants(FindingCode.MediaWithoutLabel)]
    public void A_label_that_metadata_and_description_spell_differently() =>
        AssertFoundOf(
            Peer with { RewriteSdp = sdp => sdp.Replace("a=label:2", "a=label:two", StringComparison.Ordinal) },
            "media-without-label: The m-line 2 with the label two has no stream in the metadata.",
            "label-without-media: The metadata's stream AQAAAAAAAAAAAAAAAAAAMQ== has the label 2, which no m-line of the session description has.");

    [Fact]
    [Plants(FindingCode.BodyUnusual)]
    public void A_multipart_body_that_breaks_off()
    {
        var client = ManualClient.AddTo(_scene);
        client.Send("INVITE", $"--b\r\nContent-Type: application/sdp\r\n\r\n{ManualClient.Sdp(streams: 1)}", "multipart/mixed;boundary=b");
        client.RunFor(0.1);

        AssertFound("body-unusual: The body of the INVITE is unusual: MissingLastBoundary.", NoMetadata);
    }

    [Fact]
    [Plants(FindingCode.MediaRefused)]
    public void A_medium_that_is_not_audio() =>
        AssertFoundOf(
            Peer with { Streams = 1, RewriteSdp = sdp => sdp + "m=video 40010 RTP/AVP 31\r\n" },
            "media-without-label: The m-line 2 has no label.",
            "media-refused: Medium 2 is not recorded: not audio.");

    [Fact]
    [Plants(FindingCode.MediaRefused)]
    public void A_call_for_which_no_port_is_left()
    {
        var scene = new RecorderScene(seed: 221, new() { FirstMediaPort = 10000, LastMediaPort = 10001, SparePorts = 0 });
        scene.AddClient(Peer);
        scene.RunFor(3);

        Assert.Equal(["media-refused: No ports for media: every port is taken."], scene.Session.FindingTexts);
    }

    [Fact]
    [Plants(FindingCode.SignallingMoved)]
    public void Requests_that_come_from_another_address_than_before()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish();
        var elsewhere = ManualClient.AddTo(_scene, "192.0.2.99");
        (elsewhere.CallId, elsewhere.FromTag, elsewhere.ToTag) = (client.CallId, client.FromTag, client.ToTag);
        elsewhere.Send("UPDATE", cseq: 2);
        client.RunFor(0.1);

        AssertFound(NoMetadata, "signalling-moved: Requests of the dialog came from 192.0.2.20:5060, and from 192.0.2.99:5060 since its UPDATE.");
    }

    [Fact]
    [Plants(FindingCode.NoAck)]
    public void A_200_that_is_never_acknowledged()
    {
        var client = ManualClient.AddTo(_scene);
        client.Send("INVITE", ManualClient.Sdp(direction: "inactive"));
        client.RunFor(40);

        AssertFound(
            NoMetadata,
            "no-ack: The 200 OK to 192.0.2.20:5060 was sent for 32 s and never acknowledged: the peer does not receive it, or its ACK does not reach <sip:recorder@198.51.100.10:5060>;+sip.srs.");
    }

    [Theory]
    [InlineData(481, "answered 481")]
    [InlineData(null, "did not answer")]
    [Plants(FindingCode.SessionLost)]
    public void A_peer_that_knows_nothing_of_the_session_when_it_is_asked(int? status, string outcome)
    {
        var scene = new RecorderScene(seed: 222, new() { SilenceTimeout = TimeSpan.FromSeconds(60) });
        var client = ManualClient.AddTo(scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Answer = _ => status;
        client.Talk(0, 0, 5);
        client.RunFor(100);

        Assert.Equal($"session-lost: The peer was asked with OPTIONS at 192.0.2.20:5060 and {outcome}.", scene.Session.FindingTexts[^1]);
    }

    [Theory]
    [InlineData("uac", "The peer undertook to refresh the session (RFC 4028) and did not.")]
    [InlineData("uas", "No refresh of the session (RFC 4028) was answered in time.")]
    [Plants(FindingCode.SessionLost)]
    public void A_session_that_is_not_refreshed(string refresher, string text)
    {
        var client = ManualClient.AddTo(_scene);
        client.Answer = _ => 500;
        client.Establish(ManualClient.Sdp(direction: "inactive"), ["Supported: timer", $"Session-Expires: 90;refresher={refresher}"]);
        client.RunFor(100);

        AssertFound(NoMetadata, $"session-lost: {text}");
    }

    private void AssertFoundOf(ScriptedPeerOptions peer, params string[] findings)
    {
        _scene.AddClient(peer);
        _scene.RunFor(2);

        AssertFound(findings);
    }

    private void AssertFound(params string[] findings) => FindingAssert.Are(findings, _scene.Session);
}
