using System.CommandLine;

namespace SipNat.Server.Commands;

/// <summary>What <c>serve</c>, <c>call</c> and <c>answer</c> take to be looked at.</summary>
internal static class TraceArgument
{
    public static readonly Option<string?> Trace = new("--trace")
    {
        Description = "Writes what is sent and received for Wireshark: SIP decrypted, of RTP the headers, secrets masked; 100 MB, and the 100 MB before as FILE.pcap.1",
        HelpName = "FILE.pcap",
    };
}
