using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>A SIP server that answers every request with 200 and says where it came from (RFC 3581), by plain text of its own.</summary>
public sealed class SimulatedSipServer : IProtocolCore
{
    private readonly List<string> _requests = [];

    /// <summary>Whether it keeps silent; requests are kept all the same.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Whether it leaves <c>received</c> and <c>rport</c> out, as SIPp does.</summary>
    public bool OmitsReceived { get; set; }

    /// <summary>What the header lines of its answers become: a server that writes them in its own way.</summary>
    public Func<string, string> Edit { get; set; } = static line => line;

    /// <summary>Every request as it arrived.</summary>
    public IReadOnlyList<string> Requests => _requests;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    public static SimulatedSipServer AddTo(SimulatedNetwork network, string address, SimulatedNat? behind = null)
    {
        var server = new SimulatedSipServer();
        network.AddHost(address, server, behind);
        return server;
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        var text = Encoding.UTF8.GetString(datagram);
        _requests.Add(text);
        if (IsSilent) return;

        var lines = text.Split("\r\n");
        var answer = new StringBuilder("SIP/2.0 200 OK\r\n");
        foreach (var line in lines.Skip(1).Where(line => Copied(line)))
        {
            var copy = line.StartsWith("To:", StringComparison.Ordinal) ? line + ";tag=server" : line;
            if (line.StartsWith("Via:", StringComparison.Ordinal) && !OmitsReceived) copy = line.Replace(";rport", $";rport={from.Port}", StringComparison.Ordinal) + $";received={from.AddressText}";
            answer.Append(Edit(copy)).Append("\r\n");
        }

        Outbox.Add(flow, from, Encoding.UTF8.GetBytes(answer.Append("Content-Length: 0\r\n\r\n").ToString()));
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private static bool Copied(string line) =>
        ((string[])["Via:", "From:", "To:", "Call-ID:", "CSeq:"]).Any(name => line.StartsWith(name, StringComparison.Ordinal));
}
