using SipNat.Wire;

namespace SipNat.Media.Srtp;

/// <summary>
/// What the peer sends under the keys that it told, and for a short time under those that it told before: packets that were
/// under way when it changed them are part of the stream too.
/// </summary>
/// <remarks>A key that is told again keeps its context, and with it the roll-over counters, whatever else changed.</remarks>
/// <param name="arithmetic">By what the contexts compute.</param>
public sealed class SrtpReceiver(SrtpArithmetic arithmetic = SrtpArithmetic.Processor) : IDisposable
{
    /// <summary>How long a key is accepted after another has taken its place.</summary>
    public static readonly TimeSpan FormerKeyTime = TimeSpan.FromSeconds(5);

    /// <summary>Keys that are agreed on at one time; the rest is passed over.</summary>
    public const int MaxKeys = 8;

    private const int MaxFormer = 8;

    private readonly List<SrtpContext> _agreed = [];
    private readonly List<Former> _former = [];
    private readonly long[] _counts = new long[Enum.GetValues<SrtpDefect>().Length];
    private int _turn;

    /// <summary>Whether packets have to be protected.</summary>
    public bool IsRequired => _agreed.Count > 0;

    /// <summary>Whether there is a key to try, agreed on or former.</summary>
    public bool HasKeys => IsRequired || _former.Count > 0;

    /// <summary>Packets that ended so; with <see cref="SrtpDefect.None"/> those that were let through.</summary>
    public long CountOf(SrtpDefect defect) => _counts[(int)defect];

    /// <summary>Takes the keys of a description; none where packets are not protected.</summary>
    public void Agree(Instant now, IReadOnlyList<SrtpMasterKey> keys)
    {
        var before = _agreed.ToList();
        _turn++;
        _agreed.Clear();
        foreach (var key in keys.Take(MaxKeys))
        {
            // A key that stands there twice has one list of what has been there.
            if (!_agreed.Exists(c => c.IsOf(key))) _agreed.Add(before.Find(c => c.IsOf(key)) ?? TakeFormer(key) ?? new(key, arithmetic));
        }

        foreach (var context in before.Except(_agreed)) _former.Add(new(context, now + FormerKeyTime));
        while (_former.Count > MaxFormer) Drop(0);
        DropExpired(now);
    }

    /// <summary>
    /// Takes RTP packets that are about to be unprotected, one after the other: their tags are computed side by side, which
    /// takes a fraction of the time. Of several keys it is the first one that they are expected to have.
    /// </summary>
    /// <param name="bytes">Where all of them are. They may not change until then.</param>
    /// <param name="datagrams">At most <see cref="SrtpContext.MaxAhead"/>.</param>
    public SrtpBatch LookAhead(ReadOnlySpan<byte> bytes, ReadOnlySpan<Range> datagrams)
    {
        if (!IsRequired) return default;

        _agreed[0].LookAhead(bytes, datagrams);
        return new(this, ++_turn, bytes, datagrams);
    }

    /// <summary>Checks and decrypts a packet. Nothing is counted: whether it counts depends on whether it had to be protected.</summary>
    /// <param name="isControl">RTCP.</param>
    /// <param name="plain">At least as long as the datagram, and apart from it.</param>
    /// <param name="length">Bytes that came out.</param>
    /// <param name="batch">The last that was looked ahead at; none where there was none.</param>
    /// <param name="place">Where the datagram stands in it.</param>
    public SrtpDefect Unprotect(Instant now, ReadOnlySpan<byte> datagram, bool isControl, Span<byte> plain, out int length, SrtpBatch batch = default, int place = -1)
    {
        place = batch.PlaceOf(datagram, place, this, _turn);
        length = 0;
        var verdict = SrtpDefect.UnknownMki;
        for (var i = 0; i < _agreed.Count; i++)
        {
            var defect = Unprotect(_agreed[i], datagram, isControl, plain, out length, i == 0 ? place : -1);
            if (defect is SrtpDefect.None) return defect;
            if (verdict is SrtpDefect.UnknownMki) verdict = defect;
        }

        DropExpired(now);
        foreach (var former in _former)
        {
            if (Unprotect(former.Context, datagram, isControl, plain, out length, -1) is SrtpDefect.None) return SrtpDefect.None;
        }

        return verdict;
    }

    public void Count(SrtpDefect verdict) => _counts[(int)verdict]++;

    /// <summary>Forgets every session key.</summary>
    public void Dispose()
    {
        foreach (var context in _agreed) context.Dispose();
        _agreed.Clear();
        while (_former.Count > 0) Drop(0);
    }

    private static SrtpDefect Unprotect(SrtpContext context, ReadOnlySpan<byte> datagram, bool isControl, Span<byte> plain, out int length, int place) =>
        isControl ? context.UnprotectControl(datagram, plain, out length) : context.Unprotect(datagram, plain, out length, place);

    private SrtpContext? TakeFormer(SrtpMasterKey key)
    {
        var place = _former.FindIndex(f => f.Context.IsOf(key));
        if (place < 0) return null;

        var context = _former[place].Context;
        _former.RemoveAt(place);
        return context;
    }

    private void DropExpired(Instant now)
    {
        for (var i = _former.Count - 1; i >= 0; i--)
        {
            if (_former[i].Until <= now) Drop(i);
        }
    }

    private void Drop(int place)
    {
        _former[place].Context.Dispose();
        _former.RemoveAt(place);
    }

    private readonly record struct Former(SrtpContext Context, Instant Until);
}
