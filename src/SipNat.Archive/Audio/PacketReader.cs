using Microsoft.Win32.SafeHandles;
using SipNat.Media.RtpDump;

namespace SipNat.Archive.Audio;

/// <summary>Reads the records of a file of kept packets one after the other, up to the first that is not whole.</summary>
internal sealed class PacketReader(SafeFileHandle handle) : IDisposable
{
    private const int BlockLength = 256 * 1024;

    private readonly byte[] _block = new byte[BlockLength];
    private long _offset;
    private int _filled;
    private int _position;

    /// <summary>The next record, valid until the next call. False at the end, and at once where the file is of another kind.</summary>
    public bool TryRead(out RtpDumpRecord record)
    {
        record = default;
        if (_offset == 0 && !TryBegin()) return false;

        if (!RtpDumpRecord.TryRead(_block.AsSpan(_position, _filled - _position), out record))
        {
            (_offset, _position) = (_offset + _position, 0);
            _filled = WavFile.Fill(handle, _block, _offset);
            if (!RtpDumpRecord.TryRead(_block.AsSpan(0, _filled), out record)) return false;
        }

        _position += record.Length;
        return true;
    }

    public void Dispose() => handle.Dispose();

    private bool TryBegin()
    {
        _filled = WavFile.Fill(handle, _block);
        if (!RtpDumpHeader.TryReadLength(_block.AsSpan(0, _filled), out var header)) return false;

        (_offset, _position, _filled) = (header, 0, WavFile.Fill(handle, _block, header));
        return true;
    }
}
