using SipNat.Archive.Audio;
using SipNat.Media.RtpDump;
using SipNat.Media.Streams;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Durability;

/// <summary>Packets on their way to a disk that refuses, is too slow, or comes back with less than it had.</summary>
public sealed class PacketWriterTests
{
    private const int PerBuffer = 10;
    private const int RecordLength = 40;

    private readonly WriterScene _scene = new();
    private readonly AudioFile _file;
    private int _next;

    public PacketWriterTests()
    {
        _file = new("a.rtpdump", new AudioFileFormat.Packets(new RtpDumpHeader(TemporaryFolder.Start, default, default)), null, _scene.Clock);
        _scene.Core.Do(new WriteJob(WriteJobKind.Open, _file));
    }

    private int HeaderLength => _file.Format.HeaderLength;

    [Fact]
    public void Buffers_follow_one_another_and_one_that_found_no_room_leaves_no_hole()
    {
        Write();
        Refuse();
        Refuse();
        Write();
        Refuse();
        Close();

        Assert.Equal([.. Enumerable.Range(0, 10), .. Enumerable.Range(30, 10)], Sequences());
        var resumed = Assert.IsType<AudioFault.Resumed>(_scene.Faults[^1]);
        Assert.Equal([new AudioSpan(400, 1200), new AudioSpan(1600, 2000)], resumed.Missing);
    }

    [Fact]
    public void Packets_wait_in_memory_while_the_disk_refuses_and_none_is_lost()
    {
        Write();
        _scene.Disk.Refusal = "Input/output error.";
        for (var i = 0; i < 5; i++) Write();
        _scene.Clock.Milliseconds += 20_000;
        _scene.Core.RunDue(_scene.Clock.Milliseconds);
        _scene.Disk.Refusal = null;
        Run(20);
        Write();
        Close();

        Assert.Equal(Enumerable.Range(0, 70), Sequences());
        Assert.Empty(Assert.IsType<AudioFault.Resumed>(_scene.Faults[^1]).Missing);
    }

    [Fact]
    public void Half_a_buffer_on_a_full_disk_is_written_over_when_there_is_room()
    {
        Write();
        _scene.Disk.Capacity = _scene.Disk.LengthOf("a.rtpdump") + 90;
        Write();
        Assert.Equal(HeaderLength + 400 + 90, _scene.Disk.LengthOf("a.rtpdump"));
        _scene.Disk.Capacity = long.MaxValue;
        Run(5);
        Close();

        Assert.Equal(Enumerable.Range(0, 20), Sequences());
    }

    [Fact]
    public void Disk_that_comes_back_with_less_costs_what_it_lost_and_the_rest_can_be_read()
    {
        for (var i = 0; i < 3; i++) Write();
        _scene.Disk.Refusal = "No such device.";
        Write();
        Run(8);
        var before = _scene.Disk["a.rtpdump"];
        _scene.Disk.Lose("a.rtpdump");
        _scene.Disk.Add("a.rtpdump", before[..(HeaderLength + 850)]);
        _scene.Disk.Refusal = null;
        Run(8);
        Close();

        Assert.Equal([.. Enumerable.Range(0, 20), .. Enumerable.Range(30, 10)], Sequences());
        Assert.Equal([new AudioSpan(800, 1200)], Assert.IsType<AudioFault.Resumed>(_scene.Faults[^1]).Missing);
    }

    [Fact]
    public void Header_is_written_once()
    {
        Write();
        var writes = 0;
        _scene.Disk.BeforeWrite = () => writes++;
        Run(5);
        Write();
        Close();

        Assert.Equal(1, writes);
    }

    [Fact]
    public void Files_that_were_open_at_the_end_have_all_that_was_handed_over()
    {
        Write();
        Refuse();
        Write();
        _scene.Core.End();

        Assert.Equal([.. Enumerable.Range(0, 10), .. Enumerable.Range(20, 10)], Sequences());
    }

    private List<int> Sequences() => DumpFile.Read(_scene.Disk["a.rtpdump"]).Sequences;

    private void Write() => _scene.Core.Do(new WriteJob(WriteJobKind.Write, _file, NextBuffer()));

    private void Refuse()
    {
        using var buffer = NextBuffer();
        if (_file.Overflow(buffer) is { } fault) _scene.Faults.Add(fault);
    }

    private void Close() => _scene.Core.Do(new WriteJob(WriteJobKind.Close, _file, Length: _next * RecordLength));

    private void Run(int seconds)
    {
        for (var i = 0; i < seconds * 10; i++)
        {
            _scene.Clock.Milliseconds += 100;
            _scene.Core.RunDue(_scene.Clock.Milliseconds);
            _scene.Forced.RunDue(_scene.Clock.Milliseconds);
        }
    }

    private WriteBuffer NextBuffer()
    {
        var buffer = WriteBuffer.Rent(_next * RecordLength, PerBuffer * RecordLength);
        for (var i = 0; i < PerBuffer; i++, _next++)
        {
            DumpFile.Record(_next * 20, DumpFile.Packet(_next)).CopyTo(buffer.Span[buffer.Length..]);
            buffer.Length += RecordLength;
        }

        return buffer;
    }
}
