using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Sessions;

/// <summary>Why a medium is refused, in words.</summary>
internal static class RejectionText
{
    /// <param name="noCodec">Where no codec is in common: what there should have been.</param>
    public static string Explain(RejectedMedia rejected, string noCodec) => rejected.Reason switch
    {
        MediaRejection.PortZero => "offered with port 0",
        MediaRejection.UnsupportedMedium => "not audio",
        MediaRejection.NoCommonCodec => $"{noCodec}; offered {string.Join(", ", rejected.OfferedFormats.DefaultIfEmpty("nothing"))}",
        MediaRejection.OneTooMany => "one stream too many",
        MediaRejection.NotAnswered => "not answered",
        MediaRejection.SecureTransport => "SRTP is switched off (Media:Srtp); offer RTP/AVP",
        MediaRejection.DtlsTransport => "DTLS-SRTP is not supported; offer RTP/SAVP with a=crypto (RFC 4568), or RTP/AVP",
        MediaRejection.NoKey => "RTP/SAVP without a=crypto; offer keys (RFC 4568), or RTP/AVP",
        MediaRejection.NoCommonCrypto => "no a=crypto line that can be taken; offer AES_CM_128_HMAC_SHA1_80 with inline key and no session parameters",
        MediaRejection.PlainTransport => "RTP without encryption is refused (Media:Srtp is Required); offer RTP/SAVP with a=crypto",
        MediaRejection.KeyNotAnswered => "the answer takes up no key of our offer",
        _ => "its transport is neither RTP/AVP nor RTP/AVPF",
    };
}
