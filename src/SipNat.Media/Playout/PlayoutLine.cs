using SipNat.Media.Streams;

namespace SipNat.Media.Playout;

/// <summary>
/// The one line of samples on which every packet of a stream has a position, whatever its SSRC and its clock: an anchor ties
/// a timestamp to a position, and another source, or a jump, gets an anchor of its own.
/// </summary>
internal sealed class PlayoutLine(int sampleRate)
{
    private uint _ssrc;
    private int _run;
    private uint _timestamp;
    private long _position;

    /// <summary>Something came.</summary>
    public bool HasAnchor { get; private set; }

    /// <summary>Timestamp units per second since the anchor.</summary>
    public int ClockRate { get; private set; }

    /// <summary>How often another anchor took the place of the first.</summary>
    public long Restarts { get; private set; }

    /// <summary>Whether a packet goes on from the anchor.</summary>
    public bool Follows(in ReceivedFrame frame, int clockRate) =>
        HasAnchor && frame.Ssrc == _ssrc && frame.Run == _run && clockRate == ClockRate;

    /// <summary>Ties a packet to a position.</summary>
    public void Anchor(in ReceivedFrame frame, int clockRate, long position)
    {
        if (HasAnchor) Restarts++;
        (_ssrc, _run, _timestamp, _position) = (frame.Ssrc, frame.Run, frame.Timestamp, position);
        (ClockRate, HasAnchor) = (clockRate, true);
    }

    /// <summary>Where a timestamp is. Those of a long stream take the anchor along, as they wrap around.</summary>
    public long PositionOf(uint timestamp)
    {
        var step = (long)(int)(timestamp - _timestamp);
        if (Math.Abs(step) > int.MaxValue / 2 && step % ClockRate == 0)
        {
            (_position, _timestamp) = (_position + (step / ClockRate * sampleRate), timestamp);
            return _position;
        }

        return _position + (step * sampleRate / ClockRate);
    }
}
