using SipNat.Simulation;

namespace SipNat.Tests.Simulation;

public sealed class PortAssignmentTests
{
    [Fact]
    public void A_port_is_preserved_until_another_host_has_it()
    {
        var scene = new NatScene(new() { PortAssignment = PortAssignment.Preserve });

        Assert.Equal([4000, 4001, 4002], ExternalPorts(scene, internalPort: 4000, hosts: 2));
    }

    [Fact]
    public void Every_destination_takes_a_port_of_its_own_where_mappings_depend_on_it()
    {
        var scene = new NatScene(new() { Mapping = NatMapping.AddressAndPortDependent });

        Assert.Equal([4000, 4001, 4002], new[] { NatScene.A1, NatScene.A2, NatScene.B1 }.Select(to => (int)scene.Send(to).Port));
    }

    [Fact]
    public void Sequential_ports_follow_each_other()
    {
        var scene = new NatScene(new() { PortAssignment = PortAssignment.Sequential, FirstPort = 20000 });

        Assert.Equal([20000, 20001, 20002, 20003], ExternalPorts(scene, internalPort: 7777, hosts: 3));
    }

    [Theory]
    [InlineData(4000, 0)]
    [InlineData(4001, 1)]
    public void Parity_is_kept(int internalPort, int parity)
    {
        var scene = new NatScene(new() { PortAssignment = PortAssignment.Parity });

        var ports = ExternalPorts(scene, internalPort, hosts: 40)[1..];

        Assert.All(ports, port => Assert.Equal(parity, port % 2));
        Assert.Equal(ports.Count, ports.Distinct().Count());
    }

    [Fact]
    public void Random_ports_are_distinct_and_the_same_for_the_same_seed()
    {
        var options = new NatOptions { PortAssignment = PortAssignment.Random };

        var ports = ExternalPorts(new(options, seed: 5), 4000, hosts: 40);

        Assert.Equal(41, ports.Distinct().Count());
        Assert.Equal(ports, ExternalPorts(new(options, seed: 5), 4000, hosts: 40));
        Assert.NotEqual(ports, ExternalPorts(new(options, seed: 6), 4000, hosts: 40));
    }

    [Theory]
    [InlineData(PortAssignment.Preserve)]
    [InlineData(PortAssignment.Parity)]
    [InlineData(PortAssignment.Sequential)]
    [InlineData(PortAssignment.Random)]
    public void A_nat_without_a_free_port_drops_and_takes_up_again_when_one_expires(PortAssignment assignment)
    {
        var scene = new NatScene(new() { PortAssignment = assignment, FirstPort = 50000, LastPort = 50001 });
        var ports = ExternalPorts(scene, internalPort: 50000, hosts: 3);

        Assert.Contains(0, ports);
        Assert.True(scene.Network.CountDropped(DropReason.PortsExhausted) > 0);

        scene.Network.RunFor(TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, scene.Send(NatScene.A1).Port);
    }

    [Fact]
    public void Forwarded_ports_are_never_assigned()
    {
        var scene = new NatScene(new() { PortAssignment = PortAssignment.Preserve });
        scene.Nat.Forward(4000, "192.168.1.200:4000", count: 3);

        Assert.Equal(4003, scene.Send(NatScene.A1).Port);
    }

    // What the server sees of the scene's client and of further hosts, all from one internal port; 0 where nothing came.
    private static List<int> ExternalPorts(NatScene scene, int internalPort, int hosts)
    {
        var ports = new List<int> { scene.Send(NatScene.A1).Port };
        for (var i = 0; i < hosts; i++)
        {
            var probe = new DatagramProbe();
            var host = scene.Network.AddHost($"192.168.1.{20 + i}:{internalPort}", probe, scene.Nat);
            ports.Add(scene.Send(host, probe, probe.Changes[0].Flow, NatScene.A1).Port);
        }

        return ports;
    }
}
