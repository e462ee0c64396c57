using System.Text;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Dialogs;

public sealed class RegistrationAnswerTests
{
    private const string Uuid = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";
    private const string Ours = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    private const string Others = "+sip.instance=\"<urn:uuid:11111111-0000-1000-8000-000A95A0E128>\"";

    private static readonly Contact Own = Read($"<sip:bob@10.0.0.2:5060>;+sip.instance=\"<{Uuid}>\";reg-id=1");

    [Fact]
    public void Everything_that_a_registrar_says_is_told()
    {
        // RFC 5626 §9.2 with the Service-Route of RFC 3608 §6.1 and the keep of RFC 6223 §7.
        var answer = Answer(
            Own,
            "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1;received=203.0.113.9;rport=40001;keep=30",
            "Require: outbound",
            "Flow-Timer: 120",
            "Service-Route: <sip:P2.HOME.EXAMPLE.COM;lr>,",
            " <sip:HSP.HOME.EXAMPLE.COM;lr>",
            "Path: <sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob>",
            $"Contact: <sip:bob@10.0.0.2:5060>;reg-id=1;expires=3600;{Ours}");

        Assert.Equal("sip:bob@10.0.0.2:5060", answer.Binding!.Uri.Text);
        Assert.Equal((3600, 120, 30), (answer.Lease!.Value.TotalSeconds, answer.FlowTimer!.Value.TotalSeconds, answer.Keep!.Value.TotalSeconds));
        Assert.Equal(["<sip:P2.HOME.EXAMPLE.COM;lr>", "<sip:HSP.HOME.EXAMPLE.COM;lr>"], answer.ServiceRoute);
        Assert.Equal(["<sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob>"], answer.Path);
        Assert.True(answer.IsOutbound);
        Assert.Equal("203.0.113.9:40001", answer.SeenAt.ToString());
        Assert.Empty(answer.Stale);
    }

    [Fact]
    public void A_registrar_that_says_little_leaves_the_rest_open()
    {
        var answer = Answer(Own, "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1", "Flow-Timer: 0");

        Assert.Equal((null, null, null, null), (answer.Binding, answer.Lease, answer.FlowTimer, answer.Keep));
        Assert.True(answer.SeenAt.IsNone && !answer.IsOutbound);
        Assert.Empty(answer.Bindings);
        Assert.Empty(answer.ServiceRoute);
        Assert.Empty(answer.Stale);
    }

    [Theory] // which of the bindings is ours, and what is left over from earlier
    [InlineData("the instance decides, wherever the registrar says that we are", 1, "", $"<sip:bob@10.0.0.2:5060>;{Others}", $"<sip:x@203.0.113.9:40001>;{Ours}")]
    [InlineData("an earlier address of ours is stale", 1, "sip:bob@10.0.0.1:5060", $"<sip:bob@10.0.0.1:5060>;{Ours}", $"<sip:bob@10.0.0.2:5060>;{Ours}")]
    [InlineData("seen there is as good as registered there", 1, "sip:bob@10.0.0.1:5060", $"<sip:bob@10.0.0.1:5060>;{Ours}", $"<sip:bob@203.0.113.9:40001>;{Ours}")]
    [InlineData("another flow of ours is not stale", 1, "", $"<sip:bob@10.0.0.2:5060>;reg-id=2;{Ours}", $"<sip:bob@10.0.0.1:5060>;reg-id=1;{Ours}")]
    [InlineData("our address and user without an instance stand above our instance elsewhere", 1, "sip:bob@10.0.0.1:5060", $"<sip:bob@10.0.0.1:5060>;{Ours}", "<sip:bob@10.0.0.2:5060>")]
    [InlineData("without instances the user and our address", 1, "", "<sip:bob@10.0.0.1:5060>", "<sip:bob@10.0.0.2>")]
    [InlineData("without instances the user and where we were seen", 1, "", "<sip:bob@10.0.0.1:5060>", "<sip:bob@203.0.113.9:40001;transport=udp>")]
    [InlineData("the only one of our user, whatever its address", 1, "", "<sip:alice@10.0.0.2:5060>", "<sip:bob@sbc.example:5080>", $"<sip:bob@10.0.0.2:5060>;{Others}")]
    [InlineData("of two of our user elsewhere the one that ends first", 0, "", "<sip:bob@10.0.0.7:5060>", "<sip:bob@10.0.0.8:5060>")]
    [InlineData("our address with the user of another device", -1, "", "<sip:alice@10.0.0.2:5060>")]
    public void Our_own_binding_is_found(string _, int expected, string stale, params string[] contacts)
    {
        var answer = Answer(
            Own,
            [
                "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1;received=203.0.113.9;rport=40001",
                .. contacts.Select(static (contact, i) => $"Contact: {contact};expires={i + 1}"),
            ]);

        Assert.Equal(contacts.Length, answer.Bindings.Count);
        Assert.Equal(expected < 0 ? null : answer.Bindings[expected], answer.Binding);
        Assert.Equal(expected < 0 ? null : TimeSpan.FromSeconds(expected + 1), answer.Lease);
        Assert.Equal(stale, string.Join(' ', answer.Stale.Select(static contact => contact.Uri.Text)));
    }

    [Theory]
    [InlineData("<sip:bob@10.0.0.2:5060>;expires=60", "Expires: 600", 60)]
    [InlineData("<sip:bob@10.0.0.2:5060>", "Expires: 600", 600)]
    [InlineData("<sip:bob@10.0.0.2:5060>", "Expires: soon", null)]
    [InlineData("<sip:bob@10.0.0.2:5060>;expires=0", "Expires: 600", 0)]
    public void The_lease_is_that_of_our_binding(string contact, string header, int? seconds)
    {
        var answer = Answer(Own, "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1", $"Contact: <sip:bob@10.0.0.9:5060>;expires=7, {contact}", header);

        Assert.Equal(seconds, (int?)answer.Lease?.TotalSeconds);
    }

    [Fact]
    public void A_route_without_end_is_cut()
    {
        var routes = string.Join(", ", Enumerable.Range(0, 100).Select(static i => $"<sip:p{i};lr>"));

        Assert.Equal(32, Answer(Own, "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1", $"Service-Route: {routes}").ServiceRoute.Count);
    }

    [Fact]
    public void Of_bindings_that_a_gateway_made_look_alike_the_one_that_lasts_longest_is_the_new_one()
    {
        const string Device = "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";
        var own = Read($"<sip:bob@192.168.1.10:5060>;{Device}");

        var answer = Answer(own, "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1", $"Contact: <sip:bob@192.168.1.10:5060>;expires=333;{Device}", $"Contact: <sip:bob@192.168.1.10:5060>;expires=1800;{Device}");
        var without = Answer(Read("<sip:bob@192.168.1.10:5060>"), "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1", "Contact: <sip:bob@192.168.1.10:5060>;expires=20", "Contact: <sip:bob@192.168.1.10:5060>;expires=600");

        Assert.Equal((TimeSpan.FromSeconds(1800), TimeSpan.FromSeconds(600)), (answer.Lease, without.Lease));
        Assert.Equal(TimeSpan.FromSeconds(333), Assert.Single(answer.Stale).Expires);
    }

    private static Contact Read(string value)
    {
        Assert.True(Contact.TryRead(Encoding.UTF8.GetBytes(value), out var contact));
        return contact;
    }

    private static RegistrationAnswer Answer(Contact own, params string[] lines) => RegistrationAnswer.Read(
        Wired.Store(string.Join('\n', ["SIP/2.0 200 OK", .. lines, "From: <sip:bob@example>;tag=1", "To: <sip:bob@example>;tag=2", "Call-ID: 1", "CSeq: 1 REGISTER"])),
        own);
}
