using SipNat.Fuzz.Targets;

namespace SipNat.Fuzz.Engine;

/// <summary>Every target, in the order of their rooms.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new AddressTarget(),
        new SipMessageTarget(),
        new SipFramerTarget(),
        new WebSocketRequestTarget(),
        new DigestTarget(),
        new TraceTarget(),
        new SdpTarget(),
        new SdpCryptoTarget(),
        new TransactionTarget(),
        new StunMessageTarget(),
        new StunClientTarget(),
        new NatProbeTarget(),
        new ChannelDataTarget(),
        new TurnAllocationTarget(),
        new RouterDatagramTarget(),
        new RouterXmlTarget(),
        new PortMapperTarget(),
        new IceAgentTarget(),
        new DnsMessageTarget(),
        new DnsResolverTarget(),
        new ServerLookupTarget(),
        new RtpPacketTarget(),
        new RtcpTarget(),
        new SrtpTarget(),
        new SrtpBatchTarget(),
        new RecordedStreamTarget(),
        new PlayoutTarget(),
        new WavTarget(),
        new ClipTarget(),
        new RtpDumpTarget(),
        new PayloadTarget(),
        new MultipartTarget(),
        new MetadataTarget(),
        new CiscoParticipantTarget(),
        new RecordingJsonTarget(),
        new DialogTarget(),
        new CallDialogTarget(),
    ];

    public static IFuzzTarget? Find(string name) => All.FirstOrDefault(target => target.Name == name);
}
