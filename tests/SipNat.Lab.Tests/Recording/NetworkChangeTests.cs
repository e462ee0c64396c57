using SipNat.Lab.Tests.Scene;

namespace SipNat.Lab.Tests.Recording;

/// <summary>A machine whose addresses and routes change while it records.</summary>
public sealed class NetworkChangeTests
{
    [Fact]
    public async Task An_address_that_comes_is_served_and_a_route_that_changes_is_followed()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab, ("Sip:Listen:0", "udp://0.0.0.0:5060"), ("Nat:PortMapping", "Auto"), ("Log:Level", "Debug"));
        await server.WaitForLogAsync("Asking the router 10.0.0.1 to open ports for 10.0.0.100");

        await lab.Host("hostB").RunAsync("ip", ["addr", "add", "10.0.9.1/24", "dev", "eth0"], stop: stop);
        await server.WaitForLogAsync("Listening on udp://10.0.9.1:5060");
        await server.WaitForLogAsync("The network changed: this machine has 127.0.0.1, 10.0.0.100, 10.0.9.1 and the router 10.0.0.1");

        await lab.Host("hostB").RunAsync("ip", ["route", "replace", "default", "via", "10.0.0.50"], stop: stop);
        await server.WaitForLogAsync("The network changed: this machine has 127.0.0.1, 10.0.0.100, 10.0.9.1 and the router 10.0.0.50");
        await server.WaitForLogAsync("Asking the router 10.0.0.50 to open ports for 10.0.0.100");

        await lab.Host("hostB").RunAsync("ip", ["route", "replace", "default", "via", "10.0.0.1"], stop: stop);
        await server.WaitForLogAsync("Asking the router 10.0.0.1 to open ports for 10.0.0.100");
        (await RecordedCall.RunAsync(lab, server, "--seconds", "1")).AssertComplete();
    }
}
