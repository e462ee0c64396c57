using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

public sealed class CoreHostTests
{
    [Fact]
    public async Task A_datagram_is_answered_from_the_address_that_was_asked()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        Assert.Equal("Opened Udp none", await running.Core.NextAsync());
        using var client = running.Client();

        client.Send("hello"u8);

        Assert.Equal("hello", Receive(client));
        Assert.Equal("hello", await running.Core.NextAsync());
        Assert.Equal(0, Rented(running));
    }

    [Fact]
    public async Task The_timer_wakes_the_core_once_and_not_before_its_deadline()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        var (due, woken) = (default(Instant), default(Instant));
        running.Core.OnTimeout = now => woken = now;

        running.Host.Post(now => running.Core.Deadline = due = now + TimeSpan.FromMicroseconds(20_300));

        Assert.Equal("timeout", await running.Core.NextAsync());
        Assert.InRange((woken - due).TotalSeconds, 0, 2);
        Assert.True(running.Core.IsQuiet);
    }

    [Fact]
    public async Task A_deadline_of_a_hundred_days_is_armed()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();

        running.Host.Post(now => running.Core.Deadline = now + TimeSpan.FromDays(100));
        running.Host.Post(now => running.Core.Deadline = now);

        Assert.Equal("timeout", await running.Core.NextAsync());
    }

    [Fact]
    public async Task A_send_that_the_kernel_rejects_is_told_after_the_drain()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        running.Core.OnDatagram = (_, flow, from) =>
        {
            running.Core.Outbox.Add(flow, TransportAddress.Parse("[2001:db8::1]:5060"), "wrong family"u8);
            running.Core.Outbox.Add(flow, from, new byte[65_536]);
            running.Core.Outbox.Add(flow, from, "good"u8);
        };
        using var client = running.Client();

        client.Send("go"u8);

        Assert.Equal("good", Receive(client));
        Assert.Equal("go", await running.Core.NextAsync());
        Assert.Equal("SendFailed Udp [2001:db8::1]:5060", await running.Core.NextAsync());
        Assert.Equal($"SendFailed Udp {client.LocalEndPoint}", await running.Core.NextAsync());
        Assert.Equal(0, Rented(running));
    }

    [Fact]
    public async Task A_peer_whose_port_is_closed_does_not_disturb_the_socket()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        using (var gone = running.Client())
        {
            gone.Send("last words"u8);
            await running.Core.NextAsync();
        }

        for (var i = 0; i < 3; i++)
        {
            using var client = running.Client();
            client.Send("still there?"u8);
            Assert.Equal("still there?", Receive(client));
        }
    }

    [Fact]
    public async Task What_the_hook_brings_is_drained_in_the_same_turn()
    {
        var seen = new List<string>();
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        using var client = running.Client();
        FlowId? answerOn = null;
        running.Core.OnDatagram = (_, flow, _) => answerOn = flow;
        running.Host.AfterDrain = _ =>
        {
            if (answerOn is not { } flow) return;

            answerOn = null;
            running.Host.Post(_ => seen.Add("posted from the hook"));
            running.Core.Outbox.Add(flow, TransportAddress.From((IPEndPoint)client.LocalEndPoint!), "from the hook"u8);
        };

        client.Send("go"u8);

        Assert.Equal("from the hook", Receive(client));
        Assert.Equal(["posted from the hook"], seen);
    }

    [Fact]
    public async Task A_core_that_answers_every_failure_with_a_failure_does_not_hold_the_host()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        var rounds = 0;
        FlowId? flow = null;
        running.Core.OnDatagram = (_, on, _) => flow = on;
        running.Host.AfterDrain = _ =>
        {
            if (flow is not { } on) return;

            rounds++;
            running.Core.Outbox.Add(on, TransportAddress.Parse("[2001:db8::1]:5060"), "never"u8);
        };
        using var client = running.Client();

        client.Send("go"u8);

        Assert.Equal("go", await running.Core.NextAsync());
        await running.Core.NextAsync();
        flow = null;
        Assert.InRange(rounds, 1, 100);
    }

    [Fact]
    public async Task A_defect_of_the_core_costs_one_input_and_not_the_process()
    {
        await using var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();
        using var client = running.Client();
        running.Core.OnDatagram = (_, _, _) => throw new InvalidOperationException("a defect");
        client.Send("poison"u8);
        Assert.Equal("poison", await running.Core.NextAsync());

        running.Host.Post(_ => running.Core.OnDatagram = null);
        client.Send("fine"u8);

        Assert.Equal("fine", Receive(client));
    }

    [Fact]
    public async Task Nothing_reaches_the_core_after_the_end()
    {
        var running = RunningHost.Start(RunningHost.AnyUdp);
        await running.Core.NextAsync();

        await running.DisposeAsync();
        var posted = false;
        running.Host.Post(_ => posted = true);
        await running.DisposeAsync();

        Assert.False(posted);
        Assert.True(running.Core.IsQuiet);
    }

    // Read under the lock: the answer is with the client before its buffer is given back.
    private static int Rented(RunningHost running)
    {
        var rented = -1;
        running.Host.Post(_ => rented = running.Core.Outbox.Rented);
        return rented;
    }

    private static string Receive(Socket client)
    {
        var buffer = new byte[2048];
        return Encoding.ASCII.GetString(buffer.AsSpan(0, client.Receive(buffer)));
    }
}
