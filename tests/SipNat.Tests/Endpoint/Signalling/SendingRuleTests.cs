using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Where the recorder's media packets may go, and how many, while nobody has proven that the peer is there.</summary>
public sealed class SendingRuleTests
{
    private const string Elsewhere = "203.0.113.66";
    private readonly RecorderScene _scene = new(seed: 100);
    private readonly ManualClient _client;

    public SendingRuleTests() => _client = ManualClient.AddTo(_scene);

    private IEnumerable<LoggedPacket> MediaSent => _scene.Log.SentBy(_scene.Recorder.Host.Address).Where(p => p.From.Port >= 10000);

    [Fact]
    public void Before_the_ack_packets_go_to_the_signalling_source_only()
    {
        _client.Send("INVITE", ManualClient.Sdp(Elsewhere));
        _client.RunFor(20);

        Assert.InRange(MediaSent.Count(), 10, 20);
        Assert.All(MediaSent, p => Assert.Equal(RecorderScene.PublicClient, p.To.AddressText));

        _client.Acknowledge();
        var before = MediaSent.Count();
        _client.RunFor(20);
        Assert.All(MediaSent.Skip(before), p => Assert.Equal(Elsewhere, p.To.AddressText));
        Assert.InRange(MediaSent.Count() - before, 5, 20);
    }

    [Fact]
    public void Until_media_came_a_host_gets_one_small_packet_a_second_however_many_streams_there_are()
    {
        _client.Send("INVITE", ManualClient.Sdp(Elsewhere, streams: 4));
        _client.RunFor(0.1);
        _client.Acknowledge();
        _client.RunFor(60);

        var sent = MediaSent.ToList();
        Assert.All(sent, p => Assert.InRange(p.Bytes.Length, 1, 60));
        foreach (var host in sent.GroupBy(p => p.To.AddressText))
        {
            Assert.All(host.Zip(host.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= TimeSpan.FromSeconds(1)));
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("239.1.2.3")]
    [InlineData("255.255.255.255")]
    [InlineData("10.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.1.1")]
    [InlineData("0.0.0.0")]
    public void An_address_that_cannot_be_the_peers_is_never_sent_to(string address)
    {
        _client.Establish(ManualClient.Sdp(address));
        _client.RunFor(60);

        Assert.InRange(MediaSent.Count(), 10, 61);
        Assert.All(MediaSent, p => Assert.Equal(RecorderScene.PublicClient, p.To.AddressText));
        Assert.All(MediaSent, p => Assert.InRange(p.To.Port, 40000, 40003));
        if (address is not "0.0.0.0") Assert.Contains("address-not-sent-to", _scene.Session.Findings);
    }

    [Fact]
    public void Media_that_comes_ends_the_limit_and_packets_follow_it()
    {
        _client.Establish(ManualClient.Sdp("10.1.2.3", port: 50000));
        _client.Talk(0, 0, 50);
        _client.RunFor(30);

        var last = MediaSent.Where(p => p.Seconds > 5).ToList();
        Assert.Contains(last, p => p.IsRtp && p.To == TransportAddress.Parse($"{RecorderScene.PublicClient}:{ManualClient.MediaPort}"));
        Assert.Contains("media-from-elsewhere", _scene.Session.Findings);
    }

    [Fact]
    public void After_the_session_nothing_is_sent()
    {
        _client.Establish();
        _client.Talk(0, 0, 250);
        _client.Send("BYE");
        _client.RunFor(1);
        var before = MediaSent.Count();
        _client.RunFor(300);

        Assert.Equal(before, MediaSent.Count());
        Assert.Equal([10000, 10001, 10002, 10003], MediaSent.Select(p => (int)p.From.Port).Distinct().Order());
    }
}
