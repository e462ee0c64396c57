using System.Buffers.Binary;

namespace SipNat.Simulation.Calls;

/// <summary>
/// The reports of a telephone, by the bytes of RFC 3550 §6.4: a sender report where it has sent since the last one, with a
/// block for the one source that it listens to where it has heard it since.
/// </summary>
internal sealed class ScriptedReports(uint ssrc)
{
    private const int HeaderLength = 8;
    private const int SenderLength = 20;
    private const int BlockLength = 24;

    private uint _sent;
    private uint _sentBefore;
    private uint _source;
    private ushort _first;
    private uint _highest;
    private uint _heard;
    private uint _heardBefore;

    /// <summary>A block full of zeros stands for a source that it does not hear.</summary>
    public bool FillsEmptyBlocks { get; set; }

    public void NoteSent() => _sent++;

    public void NoteHeard(uint source, ushort sequence)
    {
        if (source != _source) (_source, _first, _highest, _heard, _heardBefore) = (source, sequence, sequence, 0, 0);
        if ((short)(sequence - (ushort)_highest) > 0) _highest += (ushort)(sequence - (ushort)_highest);
        _heard++;
    }

    public byte[] Write()
    {
        var (isSender, hears) = (_sent > _sentBefore, _heard > _heardBefore);
        var report = new byte[HeaderLength + (isSender ? SenderLength : 0) + (hears || FillsEmptyBlocks ? BlockLength : 0)];
        report[0] = (byte)(hears || FillsEmptyBlocks ? 0x81 : 0x80);
        report[1] = (byte)(isSender ? 200 : 201);
        BinaryPrimitives.WriteUInt16BigEndian(report.AsSpan(2), (ushort)((report.Length / 4) - 1));
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), ssrc);
        if (isSender)
        {
            BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(20), _sent);
            BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(24), _sent * 160);
        }

        if (hears) WriteBlock(report.AsSpan(report.Length - BlockLength));
        (_sentBefore, _heardBefore) = (_sent, _heard);
        return report;
    }

    private void WriteBlock(Span<byte> block)
    {
        var lost = _highest - _first + 1 - _heard;
        BinaryPrimitives.WriteUInt32BigEndian(block, _source);
        BinaryPrimitives.WriteUInt32BigEndian(block[4..], lost & 0xFF_FFFF);
        BinaryPrimitives.WriteUInt32BigEndian(block[8..], _highest);
    }
}
