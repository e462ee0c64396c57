using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class SipAlgTests
{
    [Fact]
    public void An_alg_rewrites_addresses_on_the_way_out_and_back_and_repairs_the_length()
    {
        var scene = new NatScene(new() { SipAlg = SipAlgKind.BothWays });
        var server = new DatagramProbe { IsEcho = true };
        scene.Network.AddHost("198.51.100.9:5060", server);

        scene.ClientHost.Run(_ => scene.Client.Send(scene.ClientFlow, TransportAddress.Parse("198.51.100.9:5060"), Invite("192.168.1.10")));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(Invite("203.0.113.1"), Assert.Single(server.Received).Text);
        Assert.Equal(Invite("192.168.1.10"), Assert.Single(scene.Client.Received).Text);
    }

    [Fact]
    public void An_alg_leaves_alone_what_is_not_sip()
    {
        var scene = new NatScene(new() { SipAlg = SipAlgKind.BothWays });
        var server = new DatagramProbe();
        scene.Network.AddHost("198.51.100.9:5060", server);

        scene.ClientHost.Run(_ => scene.Client.Send(scene.ClientFlow, TransportAddress.Parse("198.51.100.9:5060"), "c=IN IP4 192.168.1.10\r\n"));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal("c=IN IP4 192.168.1.10\r\n", Assert.Single(server.Received).Text);
    }

    // From and Call-ID stay as they are; only the addresses that an ALG looks for change.
    private static string Invite(string address)
    {
        var body = $"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
        return $"INVITE sip:a@198.51.100.9 SIP/2.0\r\nVia: SIP/2.0/UDP {address}:4000;branch=z9hG4bK1;rport\r\n"
            + $"From: <sip:b@10.9.9.9>;tag=1\r\nCall-ID: 1@10.9.9.9\r\nContact: <sip:b@{address}:4000>\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n{body}";
    }
}
