using SipNat.Endpoint.Media;
using SipNat.Media.Srtp;
using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Sessions;

/// <summary>The keys of one medium, ours and the peer's, and what our descriptions say of them.</summary>
internal sealed class StreamCrypto
{
    private const string FirstTag = "1";

    private SrtpMasterKey? _ours;
    private (string Tag, string Suite)? _told;

    /// <summary>What the media plane has to know; null where the medium is not encrypted.</summary>
    public StreamKeys? Keys { get; private set; }

    /// <summary>
    /// What our description says; nothing where the medium is not encrypted. An answer repeats the tag and the suite of the
    /// line that it takes up, and so does an offer of ours that follows.
    /// </summary>
    public IEnumerable<SdpAttribute> Lines => _told is var (tag, suite) ? [SdpCrypto.Write(tag, suite, _ours!.ToBase64())] : [];

    /// <summary>Offers encryption by the suite that every implementation has (RFC 4568 §6.2).</summary>
    public void Offer(Random random)
    {
        _ours ??= SrtpMasterKey.Draw(SrtpProfile.AesCm128HmacSha1Tag80, random);
        _told = (FirstTag, _ours.Profile.Name);
    }

    /// <summary>Takes what was chosen of the peer's description; null where the medium is not encrypted.</summary>
    /// <remarks>Our own key stays as long as its suite does: a key that is told again keeps its roll-over counter.</remarks>
    public void Agree(SdpCrypto? crypto, Random random)
    {
        if (crypto is null)
        {
            // What a key has protected is not to be protected by it once more, and the counters that would tell are gone.
            (_ours, _told, Keys) = (null, null, null);
            return;
        }

        var profile = SrtpNegotiation.ProfileOf(crypto);
        if (_ours?.Profile != profile) _ours = SrtpMasterKey.Draw(profile, random);
        (_told, Keys) = ((crypto.Tag, crypto.Suite), new(SrtpNegotiation.KeysOf(crypto), _ours));
    }
}
