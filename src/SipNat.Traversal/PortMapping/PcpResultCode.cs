namespace SipNat.Traversal.PortMapping;

/// <summary>Result codes of PCP (RFC 6887 §7.4).</summary>
public enum PcpResultCode : byte
{
    Success = 0,
    UnsuppVersion = 1,
    NotAuthorized = 2,
    MalformedRequest = 3,
    UnsuppOpcode = 4,
    UnsuppOption = 5,
    MalformedOption = 6,
    NetworkFailure = 7,
    NoResources = 8,
    UnsuppProtocol = 9,
    UserExQuota = 10,
    CannotProvideExternal = 11,
    AddressMismatch = 12,
    ExcessiveRemotePeers = 13,
}

/// <summary>Opcodes of PCP (RFC 6887 §19.2).</summary>
public enum PcpOpcode : byte
{
    Announce = 0,
    Map = 1,
    Peer = 2,
}
