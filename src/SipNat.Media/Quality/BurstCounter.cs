namespace SipNat.Media.Quality;

/// <summary>
/// Tells losses that come in bursts from those that stand alone, as RFC 3611 §4.7.2 has it: a burst begins and ends with
/// a loss and has fewer than <see cref="Gmin"/> packets between any two of them.
/// </summary>
public sealed class BurstCounter
{
    /// <summary>Packets received in a row that end a burst.</summary>
    public const int Gmin = 16;

    private long _sinceLoss;
    private long _burstLength;
    private long _burstLost;
    private long _gapPackets;
    private long _gapLost;
    private long _burstPackets;
    private long _burstsLost;
    private long _lossesInRow;
    private long _runs;
    private long _packets;
    private long _lost;

    /// <summary>Packets in all.</summary>
    public long Packets => _packets;

    /// <summary>Bursts so far, the one that lasts included.</summary>
    public long Bursts { get; private set; }

    /// <summary>Share of lost packets in bursts, 0 to 1.</summary>
    public double BurstDensity => ShareOf(_burstsLost + Open(_burstLost), _burstPackets + Open(_burstLength));

    /// <summary>Share of lost packets between bursts, 0 to 1.</summary>
    public double GapDensity => ShareOf(_gapLost + Alone(_burstLost), _gapPackets + Alone(_burstLength) + _sinceLoss);

    /// <summary>Packets of a burst on average.</summary>
    public double BurstLength => Bursts == 0 ? 0 : (double)(_burstPackets + Open(_burstLength)) / Bursts;

    /// <summary>Packets between two bursts on average.</summary>
    public double GapLength => (double)(_packets - _burstPackets - Open(_burstLength)) / (Bursts + 1);

    /// <summary>Share of lost packets, 0 to 1.</summary>
    public double Loss => ShareOf(_lost, _packets);

    /// <summary>How much longer losses in a row are than if they came by chance (ITU-T G.107 §7.5); 1 at least.</summary>
    public double Ratio => _runs == 0 ? 1 : Math.Max(1, (double)_lost / _runs * (1 - Loss));

    /// <summary>The next packet in order.</summary>
    public void Add(bool isLost)
    {
        _packets++;
        if (isLost) Lose();
        else Receive();
    }

    private void Lose()
    {
        _lost++;
        if (_lossesInRow++ == 0) _runs++;
        if (_burstLost == 0)
        {
            _gapPackets += _sinceLoss;
            _burstLength = 0;
        }
        else
        {
            _burstLength += _sinceLoss;
        }

        _sinceLoss = 0;
        _burstLength++;
        if (++_burstLost == 2) Bursts++;
    }

    private void Receive()
    {
        _lossesInRow = 0;
        if (++_sinceLoss < Gmin || _burstLost == 0) return;

        if (_burstLost > 1) (_burstPackets, _burstsLost) = (_burstPackets + _burstLength, _burstsLost + _burstLost);
        else (_gapPackets, _gapLost) = (_gapPackets + _burstLength, _gapLost + _burstLost);
        (_burstLength, _burstLost) = (0, 0);
    }

    // One loss alone is no burst.
    private long Open(long value) => _burstLost > 1 ? value : 0;

    private long Alone(long value) => _burstLost > 1 ? 0 : value;

    private static double ShareOf(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
