using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Durability;

/// <summary>Files past 4 GiB, which are sparse: they take no room on the disk.</summary>
public sealed class LargeFileTests : IDisposable
{
    private const long Large = (4L * 1024 * 1024 * 1024) + 1000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_past_four_gibibytes_whose_writer_was_killed_becomes_rf64()
    {
        using (var handle = File.OpenHandle(_folder["a.wav"], FileMode.CreateNew, FileAccess.Write))
        {
            var stale = new byte[WavHeader.Length];
            WavHeader.Write(stale, WavFormat.Of(AudioCodec.Pcma), 4_000_000_000);
            RandomAccess.Write(handle, stale, 0);
            RandomAccess.SetLength(handle, WavHeader.Length + Large);
        }

        var repaired = WavFile.Repair(_folder["a.wav"], AudioCodec.Pcmu);

        Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcma), WavHeader.Length, Large, Large), repaired);
        using var file = WavFile.OpenRead(_folder["a.wav"]);
        var start = new byte[4];
        RandomAccess.Read(file, start, 0);
        Assert.Equal("RF64"u8, start);
        Assert.True(WavFile.TryRead(file, out var read, out _));
        Assert.Equal(repaired, read);
        Assert.Equal(Large / 8000.0, read.Seconds);
    }
}
