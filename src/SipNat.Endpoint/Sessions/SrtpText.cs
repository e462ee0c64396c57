using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Sessions;

/// <summary>Why a medium is refused for its encryption, or for the lack of it, in words.</summary>
internal static class SrtpText
{
    /// <summary>Null where it was refused for something else.</summary>
    public static string? Explain(MediaRejection reason) => reason switch
    {
        MediaRejection.SecureTransport => "SRTP is switched off (Media:Srtp); offer RTP/AVP",
        MediaRejection.DtlsTransport => "DTLS-SRTP is not supported; offer RTP/SAVP with a=crypto (RFC 4568), or RTP/AVP",
        MediaRejection.NoKey => "RTP/SAVP without a=crypto; offer keys (RFC 4568), or RTP/AVP",
        MediaRejection.NoCommonCrypto => "no a=crypto line that can be taken; offer AES_CM_128_HMAC_SHA1_80 with inline key and no session parameters",
        MediaRejection.PlainTransport => "RTP without encryption is refused (Media:Srtp is Required); offer RTP/SAVP with a=crypto",
        MediaRejection.KeyNotAnswered => "the answer takes up no key of our offer",
        _ => null,
    };
}
