namespace SipNat.Endpoint.Media;

/// <summary>The streams of a call that is recorded, by their numbers: a call has one medium of two directions.</summary>
internal static class CallLegs
{
    public const int Theirs = 0;

    public const int Ours = 1;
}
