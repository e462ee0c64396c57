namespace SipNat.Media.Rtcp;

/// <summary>RTCP packet types from the IANA registry "RTCP Control Packet Types (PT)".</summary>
public enum RtcpPacketType : byte
{
    // RFC 3550
    SenderReport = 200,
    ReceiverReport = 201,
    SourceDescription = 202,
    Goodbye = 203,
    ApplicationDefined = 204,

    // RFC 4585
    TransportFeedback = 205,
    PayloadSpecificFeedback = 206,

    // RFC 3611
    ExtendedReport = 207,
}
