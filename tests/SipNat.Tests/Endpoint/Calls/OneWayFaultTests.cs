using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// At each stage of each direction audio is lost once: the first stage that counts nothing is where, and the finding says
/// why. What can be repaired is in <see cref="MidCallTests"/>.
/// </summary>
public sealed class OneWayFaultTests
{
    private const string Stranger = "198.51.100.66:5060";
    private static readonly TransportAddress Peer = TransportAddress.Parse("203.0.113.5:12000");

    private readonly SimulatedNetwork _network = new(7);
    private readonly ScriptedPhone _phone;
    private readonly ScriptedPhone _stranger;
    private readonly SimulatedCaller _caller;

    public OneWayFaultTests()
    {
        _phone = ScriptedPhone.AddTo(_network, "203.0.113.5:5060");
        _stranger = ScriptedPhone.AddTo(_network, Stranger);
        _caller = SimulatedCaller.AddTo(_network, "198.51.100.10");
    }

    [Fact]
    public void Nothing_arrives()
    {
        Talk(() => { });

        AssertLost(Inbound.Arrived, FindingCode.NoMedia);
        Assert.Equal(InboundVerdict.Nothing, CallVerdict.Of(_caller.Call).Inbound);
    }

    [Fact]
    public void What_arrives_comes_from_somebody_else()
    {
        Talk(() => _stranger.Speak(OurMedia));

        AssertLost(Inbound.Accepted, FindingCode.StrayMedia);
        Assert.Equal(InboundVerdict.Nothing, CallVerdict.Of(_caller.Call).Inbound);
    }

    [Fact]
    public void What_arrives_is_not_encrypted_with_the_key_that_was_agreed_on()
    {
        Talk(() => _phone.Speak(OurMedia), "sip:100@203.0.113.5:5061;transport=tls", SavpDescription);

        AssertLost(Inbound.Authenticated, FindingCode.SrtpAuthFailed);
        Assert.Equal(InboundVerdict.Nothing, CallVerdict.Of(_caller.Call).Inbound);
    }

    [Fact]
    public void What_arrives_has_a_payload_type_of_which_nobody_knows_what_it_is()
    {
        _phone.PayloadType = 111;
        Talk(() => _phone.Speak(OurMedia));

        AssertLost(Inbound.Decoded, FindingCode.UnknownPayloadType);
        Assert.Equal(0, _caller.Call.Stream!.Audio!.AudibleBlocks);
    }

    [Fact]
    public void What_arrives_is_silence()
    {
        _phone.IsMuted = true;
        Talk(() => _phone.Speak(OurMedia));

        Assert.Equal(Inbound.Audible, FirstLost());
        Assert.Equal(InboundVerdict.Silent, CallVerdict.Of(_caller.Call).Inbound);
        Assert.Empty(_caller.Call.Findings);
    }

    [Fact]
    public void An_address_that_nobody_has_is_given_up_for_the_one_that_media_come_from()
    {
        Talk(() => _phone.Speak(OurMedia), description: () => _phone.Sdp(address: "203.0.113.250"));

        Assert.Equal(InboundVerdict.Audio, CallVerdict.Of(_caller.Call).Inbound);
        Assert.Contains(_caller.Call.Findings, f => f.Code is FindingCode.MediaFromElsewhere);
        Assert.NotEmpty(_phone.Heard);
    }

    private TransportAddress OurMedia => _caller.Call.Advertised.Address;

    // A session description that takes our offer of AES_CM_128_HMAC_SHA1_80 with a key of its own.
    private string SavpDescription() => _phone.Sdp().Replace("RTP/AVP 0\r\n", "RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n", StringComparison.Ordinal);

    // Calls, and says after the answer what the other side sends.
    private void Talk(Action speak, string target = "sip:100@203.0.113.5", Func<string>? description = null)
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", (description ?? (() => _phone.Sdp()))());
            else if (request.Method != "ACK") _phone.Answer(request, "200 OK");
        };
        _caller.Place(target);
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(CallState.Established, _caller.Call.State);
        speak();
        _network.RunFor(TimeSpan.FromSeconds(20));
    }

    private void AssertLost(Inbound stage, FindingCode code)
    {
        Assert.Equal(stage, FirstLost());
        Assert.Contains(code, _caller.Call.Findings.Select(f => f.Code));
        Assert.Equal(CallState.Established, _caller.Call.State);
    }

    private Inbound FirstLost()
    {
        var stages = _caller.Call.Stream!.Audio!.Stages;
        long[] counts = [stages.Arrived, stages.Authenticated, stages.Accepted, stages.Decoded, stages.Audible];
        return (Inbound)Array.IndexOf(counts, 0);
    }

    private enum Inbound
    {
        Arrived,
        Authenticated,
        Accepted,
        Decoded,
        Audible,
    }
}
