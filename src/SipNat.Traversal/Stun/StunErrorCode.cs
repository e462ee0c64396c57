namespace SipNat.Traversal.Stun;

/// <summary>Error codes from the IANA STUN registry that a client acts on. Names are the registry's.</summary>
public static class StunErrorCode
{
    // RFC 8489
    public const int TryAlternate = 300;
    public const int BadRequest = 400;
    public const int Unauthenticated = 401;
    public const int UnknownAttribute = 420;
    public const int StaleNonce = 438;
    public const int ServerError = 500;

    // RFC 8656
    public const int Forbidden = 403;
    public const int AllocationMismatch = 437;
    public const int AddressFamilyNotSupported = 440;
    public const int WrongCredentials = 441;
    public const int UnsupportedTransportProtocol = 442;
    public const int PeerAddressFamilyMismatch = 443;
    public const int AllocationQuotaReached = 486;
    public const int InsufficientCapacity = 508;
}
