namespace SipNat.Traversal.Stun;

/// <summary>Attribute types from the IANA STUN registry. Names are the RFC's names.</summary>
public enum StunAttributeType : ushort
{
    // RFC 8489 (STUN), comprehension required
    MappedAddress = 0x0001,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    UnknownAttributes = 0x000A,
    Realm = 0x0014,
    Nonce = 0x0015,
    MessageIntegritySha256 = 0x001C,
    PasswordAlgorithm = 0x001D,
    UserHash = 0x001E,
    XorMappedAddress = 0x0020,

    // RFC 8656 (TURN), comprehension required
    ChannelNumber = 0x000C,
    Lifetime = 0x000D,
    XorPeerAddress = 0x0012,
    Data = 0x0013,
    XorRelayedAddress = 0x0016,
    RequestedAddressFamily = 0x0017,
    EvenPort = 0x0018,
    RequestedTransport = 0x0019,
    DontFragment = 0x001A,
    ReservationToken = 0x0022,

    // RFC 8445 (ICE), comprehension required
    Priority = 0x0024,
    UseCandidate = 0x0025,

    // RFC 5780 (NAT behaviour discovery), comprehension required
    ChangeRequest = 0x0003,
    Padding = 0x0026,
    ResponsePort = 0x0027,

    // RFC 3489, comprehension required: reserved today, yet old servers still add them to answers that are good
    SourceAddress = 0x0004,
    ChangedAddress = 0x0005,
    ReflectedFrom = 0x000B,

    // RFC 8489, comprehension optional
    PasswordAlgorithms = 0x8002,
    AlternateDomain = 0x8003,
    Software = 0x8022,
    AlternateServer = 0x8023,
    Fingerprint = 0x8028,

    // RFC 8656, comprehension optional
    AdditionalAddressFamily = 0x8000,
    AddressErrorCode = 0x8001,
    Icmp = 0x8004,

    // RFC 8445, comprehension optional
    IceControlled = 0x8029,
    IceControlling = 0x802A,

    // RFC 5780, comprehension optional
    ResponseOrigin = 0x802B,
    OtherAddress = 0x802C,
}

public static class StunAttributeTypes
{
    extension(StunAttributeType type)
    {
        /// <summary>An unknown attribute of this range makes a request fail with 420 (RFC 8489 §6.3.1).</summary>
        public bool MustBeUnderstood => (ushort)type < 0x8000;

        /// <summary>Whether the address is combined with the magic cookie and transaction id (RFC 8489 §14.2).</summary>
        public bool IsXorAddress => type is StunAttributeType.XorMappedAddress
            or StunAttributeType.XorPeerAddress
            or StunAttributeType.XorRelayedAddress;

        /// <summary>
        /// Whether the attribute may stand behind MESSAGE-INTEGRITY; whatever else stands there is not protected and
        /// is ignored (RFC 8489 §14.5).
        /// </summary>
        public bool MayFollowIntegrity => type is StunAttributeType.MessageIntegritySha256 or StunAttributeType.Fingerprint;
    }
}
