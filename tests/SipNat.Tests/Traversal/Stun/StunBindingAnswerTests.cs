using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

/// <summary>Which datagrams a <see cref="StunBindingClient"/> takes for an answer, and what it makes of them.</summary>
public sealed class StunBindingAnswerTests
{
    private const string Mapped = "203.0.113.7:61000";
    private static readonly TransportAddress A = BindingScene.ServerA;
    private static readonly TransportAddress B = BindingScene.ServerB;

    [Fact]
    public void An_answer_from_another_source_is_counted_and_ignored()
    {
        var scene = new BindingScene(new() { Servers = [A] });
        scene.RunUntil(10);

        Assert.True(scene.Receive(B, BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped))));
        Assert.True(scene.Receive(A.WithPort(3479), BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped))));
        Assert.Null(scene.Client.Mapped);
        Assert.Equal(2, scene.Client.ForeignResponses);

        Assert.True(scene.Receive(A, BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped))));
        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.Mapped);
    }

    [Fact]
    public void What_answers_no_request_of_the_client_is_left_to_others()
    {
        var scene = new BindingScene(new() { Servers = [A] });
        scene.RunUntil(10);
        var wrongId = scene.Requests[0].ToArray();
        wrongId[19] ^= 1;
        var answer = BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped));

        Assert.False(scene.Receive(A, BindingScene.Success(wrongId, TransportAddress.Parse(Mapped))));
        Assert.False(scene.Receive(A, scene.Requests[0]));
        Assert.False(scene.Receive(A, "INVITE sip:a@b SIP/2.0\r\n\r\n"u8.ToArray()));
        Assert.True(scene.Receive(A, answer));
        Assert.False(scene.Receive(A, answer));
        Assert.Single(scene.Events);
    }

    [Fact]
    public void A_refusal_is_reported_and_the_next_server_counts()
    {
        var scene = new BindingScene
        {
            Mapping = static (_, _) => Mapped,
            Answer = static (server, request) => server == A ? (A, BindingScene.Error(request, 420)) : null,
        };

        scene.RunUntil(5_000);

        Assert.Equal(
            [$"20 STUN server {A} refused with 420.", $"70 STUN server {B} sees {BindingScene.Local} as {Mapped}."],
            scene.Events.Take(2));
        Assert.Equal(B, scene.Client.Server);
    }

    [Fact]
    public void When_all_refuse_they_are_asked_again_after_an_interval_and_not_before()
    {
        var scene = new BindingScene { Answer = static (server, request) => (server, BindingScene.Error(request, 500)) };

        scene.RunUntil(19_000);

        Assert.Equal([$"0 {A}", $"50 {B}"], scene.Sent);
        Assert.Equal(
            [
                $"20 STUN server {A} refused with 500.",
                $"70 STUN server {B} refused with 500.",
                $"70 No STUN server gave an address; asked {A}, {B}.",
            ],
            scene.Events);
        scene.RunUntil(26_000);
        Assert.Equal(4, scene.Sent.Count);
    }

    [Theory]
    [InlineData("0.0.0.0:1000")]
    [InlineData("203.0.113.7:0")]
    [InlineData("224.0.0.1:1000")]
    [InlineData("255.255.255.255:1000")]
    [InlineData("[2001:db8::1]:1000")]
    public void A_mapping_that_cannot_be_is_none(string mapped)
    {
        var scene = new BindingScene(new() { Servers = [A] }) { Mapping = (_, _) => mapped };

        scene.RunUntil(100);

        Assert.Null(scene.Client.Mapped);
        Assert.Equal($"20 STUN server {A} sent a response that cannot be used.", scene.Events[0]);
    }

    [Fact]
    public void A_success_with_an_unknown_required_attribute_is_not_used() // RFC 8489 §6.3.3
    {
        var scene = new BindingScene(new() { Servers = [A] })
        {
            Answer = static (server, request) =>
            {
                var writer = new StunWriter(new byte[64], StunClass.Success, StunMethod.Binding, StunTransactionId.Read(request.AsSpan(8)));
                writer.AddAddress(StunAttributeType.XorMappedAddress, TransportAddress.Parse(Mapped));
                writer.Add((StunAttributeType)0x7777, []);
                return (server, writer.Written.ToArray());
            },
        };

        scene.RunUntil(100);

        Assert.Null(scene.Client.Mapped);
    }

    [Fact]
    public void The_answer_of_an_rfc3489_server_is_used()
    {
        var scene = new BindingScene(new() { Servers = [A] })
        {
            Answer = static (server, request) =>
            {
                var writer = new StunWriter(new byte[64], StunClass.Success, StunMethod.Binding, StunTransactionId.Read(request.AsSpan(8)));
                writer.AddAddress(StunAttributeType.MappedAddress, TransportAddress.Parse(Mapped));
                writer.AddAddress(StunAttributeType.SourceAddress, server);
                writer.AddAddress(StunAttributeType.ChangedAddress, B);
                return (server, writer.Written.ToArray());
            },
        };

        scene.RunUntil(100);

        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.Mapped);
    }

    [Fact]
    public void Mutated_answers_never_throw_and_never_give_a_mapping_from_elsewhere()
    {
        var random = new Random(5);
        var scene = new BindingScene(new() { Servers = [A] });
        scene.RunUntil(10);
        var answer = BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped));
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = answer.AsSpan(0, random.Next(answer.Length + 1)).ToArray();
            for (var i = random.Next(4); i > 0 && bytes.Length > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

            scene.Client.TryHandle(new(987_654_321), B, bytes);
        }

        Assert.Null(scene.Client.Mapped);
    }
}
