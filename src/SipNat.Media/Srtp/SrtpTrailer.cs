namespace SipNat.Media.Srtp;

/// <summary>
/// Where things stand behind the encrypted part: of RTP the identifier of the key and the tag (RFC 3711 §3.1), of RTCP the
/// word with the index before them (§3.4). With GCM the tag comes first, as it is part of what the cipher puts out
/// (RFC 7714 §8.2, §9.2).
/// </summary>
internal readonly struct SrtpTrailer
{
    private const int WordLength = sizeof(uint);

    private SrtpTrailer(int tag, int word, int mki, bool isTagFirst)
    {
        var start = isTagFirst ? tag : 0;
        Length = tag + word + mki;
        Word = start..(start + word);
        Mki = (start + word)..(start + word + mki);
        Tag = isTagFirst ? ..tag : (word + mki)..Length;
    }

    /// <summary>Bytes of all of it.</summary>
    public int Length { get; }

    public Range Tag { get; }

    public Range Word { get; }

    public Range Mki { get; }

    public static SrtpTrailer OfRtp(SrtpProfile profile, int mki) => new(profile.TagLength, 0, mki, profile.IsAead);

    public static SrtpTrailer OfRtcp(SrtpProfile profile, int mki) => new(profile.ControlTagLength, WordLength, mki, profile.IsAead);
}
