namespace SipNat.Media.RtpDump;

/// <summary>
/// Where the audio of packets belongs in time, counted in samples from the beginning of their file: by their timestamps,
/// as long as these agree with their arrival, and by their arrival where they begin anew.
/// </summary>
/// <param name="clockRate">RTP timestamp units per second.</param>
/// <param name="sampleRate">Samples per second.</param>
public sealed class PacketPlacement(int clockRate, int sampleRate)
{
    // Clocks drift apart slowly; what is off by more at once is another run of timestamps, or a pause without them.
    private const int ToleranceMilliseconds = 500;
    private const int DriftWeight = 64;

    private bool _hasBegun;
    private uint _ssrc;
    private uint _timestamp;
    private long _position;
    private long _drift;

    /// <summary>Where the audio ends that was placed so far.</summary>
    public long End { get; private set; }

    /// <summary>The place of a packet's first sample.</summary>
    /// <param name="milliseconds">Arrival since the file's start; it never goes back.</param>
    /// <param name="count">How many samples it has.</param>
    public long Place(uint milliseconds, uint ssrc, uint timestamp, int count)
    {
        var arrival = (long)milliseconds * sampleRate / 1000;
        var position = _position + ((long)(int)(timestamp - _timestamp) * sampleRate / clockRate);
        var deviation = position - arrival - _drift;
        var goesOn = _hasBegun && ssrc == _ssrc && position >= 0 && Math.Abs(deviation) <= (long)ToleranceMilliseconds * sampleRate / 1000;
        if (goesOn)
        {
            _drift += deviation / DriftWeight;
        }
        else
        {
            // Never over what stands there already.
            position = Math.Max(arrival, End);
            (_hasBegun, _ssrc, _drift) = (true, ssrc, position - arrival);
        }

        (_timestamp, _position) = (timestamp, position);
        End = Math.Max(End, position + count);
        return position;
    }
}
