namespace SipNat.Sip.Sdp;

/// <summary>A <c>b=</c> line (RFC 8866 §5.8): <c>AS</c> in kbit/s, <c>TIAS</c> in bit/s, others as their type says.</summary>
public sealed record SdpBandwidth(string Type, string Value);
