using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.Media.Srtp;

namespace SipNat.Lab.Tests.Srtp;

/// <summary>SRTP against libsrtp: packet by packet, and as a client that is recorded through the kernel.</summary>
public sealed class LibsrtpTests
{
    private const int Packets = 2000;
    private const int Frames = 200;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(15);

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80", "0000002a")]
    [InlineData("AES_CM_128_HMAC_SHA1_32", "")] // with an identifier libsrtp 2.5 looks for that of RTCP where the short tag of RTP would end
    [InlineData("AES_256_CM_HMAC_SHA1_80", "")]
    [InlineData("AES_256_CM_HMAC_SHA1_32", "")]
    [InlineData("AEAD_AES_128_GCM", "07")]
    [InlineData("AEAD_AES_256_GCM", "")]
    public async Task Random_packets_go_to_libsrtp_and_come_from_it(string suite, string mki)
    {
        using var peer = Process.Start(new ProcessStartInfo(await LibsrtpProgram.CompileAsync("libsrtp_peer")) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Random random = new(42);
        var key = new byte[SrtpProfile.All.Single(p => p.Name == suite).MasterLength];
        random.NextBytes(key);
        SrtpMasterKey master = new(SrtpProfile.All.Single(p => p.Name == suite), key, Convert.FromHexString(mki));
        using SrtpContext sender = new(master);
        using SrtpContext receiver = new(master);
        Assert.Equal("ok", await AskAsync($"key {suite} {Convert.ToHexString(key)} {mki}"));

        // The numbers of three sources go over their end several times, with gaps.
        var sequences = new int[3];
        for (var i = 0; i < Packets; i++)
        {
            var source = random.Next(sequences.Length);
            var isControl = random.Next(10) == 0;
            var kind = isControl ? "rtcp" : "rtp";
            var plain = isControl ? Compound(random, source) : Packet(random, source, sequences[source] += random.Next(1, 600));

            var ours = Protect(sender, plain, isControl);
            Assert.Equal(Convert.ToHexStringLower(plain), await AskAsync($"unprotect {kind} {Convert.ToHexString(ours)}"));
            var theirs = Convert.FromHexString(await AskAsync($"protect {kind} {Convert.ToHexString(plain)}"));
            Assert.Equal((SrtpDefect.None, Convert.ToHexString(plain)), Unprotect(receiver, theirs, isControl));
        }

        peer.StandardInput.Close();
        await peer.WaitForExitAsync(TestContext.Current.CancellationToken);

        async Task<string> AskAsync(string line)
        {
            await peer.StandardInput.WriteLineAsync(line);
            await peer.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            return await peer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "";
        }
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")]
    [InlineData("AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80")]
    [InlineData("AEAD_AES_256_GCM", "AEAD_AES_256_GCM")]
    public async Task A_client_that_encrypts_is_recorded_to_the_byte(string suite, string name)
    {
        var program = await LibsrtpProgram.CompileAsync("libsrtp_caller");
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);
        var sent = Path.Combine(Directory.CreateTempSubdirectory("sipnat-srtp").FullName, "sent.ulaw");

        await using var client = lab.Host("hostA").Start(program, $"{lab.RightPublicAddress}", $"{lab.Host("hostA").Address}", suite, name, $"{Frames}", sent);
        var exit = await client.WaitForExitAsync(CallLimit, TestContext.Current.CancellationToken);
        if (exit != 0) throw client.Failure($"ended with {exit}\n{server.Log}");

        var report = JsonSerializer.Deserialize<JsonElement>(client.Output);
        var session = await server.WaitForRecordingAsync($"libsrtp-{name}");
        var stream = Assert.Single(session.Streams);
        Assert.Equal((Frames, 0L), (stream.Packets, stream.Lost));
        Assert.Equal(new(suite, Frames + (Frames / 50), 0, 0, 0), stream.Srtp);
        Assert.Equal(["srtp-keys-unencrypted"], session.Findings.Select(f => f.Code).Where(code => code.StartsWith("srtp-", StringComparison.Ordinal)));
        Assert.Equal((name, 0), (report.GetProperty("answered").GetString(), report.GetProperty("failed").GetInt32()));
        Assert.True(report.GetProperty("rtp").GetInt32() > 0 && report.GetProperty("rtcp").GetInt32() > 0, client.Output);
        var (wanted, audio) = (await File.ReadAllBytesAsync(sent, TestContext.Current.CancellationToken), ReadAudio(server.PathOf(Assert.Single(stream.Files))));
        Assert.Equal(Frames * 160, wanted.Length);
        Assert.Equal(wanted, audio[..wanted.Length]);
        Assert.All(audio[wanted.Length..], sample => Assert.Equal(0xFF, sample)); // up to the BYE
        Assert.DoesNotContain("inline", server.Log, StringComparison.OrdinalIgnoreCase);
        Directory.Delete(Path.GetDirectoryName(sent)!, recursive: true);
    }

    private static byte[] ReadAudio(string path)
    {
        var file = File.ReadAllBytes(path);
        var data = file.AsSpan().IndexOf("data"u8) + 8;
        return file[data..(data + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(data - 4)))];
    }

    private static byte[] Protect(SrtpContext sender, byte[] plain, bool isControl)
    {
        byte[] buffer = [.. plain, .. new byte[isControl ? sender.ControlOverhead : sender.Overhead]];
        Assert.True(isControl ? sender.TryProtectControl(buffer) : sender.TryProtect(buffer));
        return buffer;
    }

    private static (SrtpDefect Defect, string Plain) Unprotect(SrtpContext receiver, byte[] datagram, bool isControl)
    {
        var plain = new byte[datagram.Length];
        var defect = isControl ? receiver.UnprotectControl(datagram, plain, out var length) : receiver.Unprotect(datagram, plain, out length);
        return (defect, Convert.ToHexString(plain.AsSpan(0, Math.Max(length, 0))));
    }

    private static byte[] Packet(Random random, int source, int sequence)
    {
        var (csrcs, extension) = (random.Next(3), random.Next(3));
        var packet = new byte[12 + (4 * csrcs) + (extension > 0 ? 4 + (4 * extension) : 0) + random.Next(400)];
        random.NextBytes(packet);
        packet[0] = (byte)(0x80 | csrcs | (extension > 0 ? 0x10 : 0));
        packet[1] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0xCAFE0000 + (uint)source);
        if (extension > 0) BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(12 + (4 * csrcs) + 2), (ushort)extension);
        return packet;
    }

    private static byte[] Compound(Random random, int source)
    {
        var compound = new byte[8 + (4 * random.Next(30))];
        random.NextBytes(compound);
        (compound[0], compound[1]) = (0x80, 201);
        BinaryPrimitives.WriteUInt16BigEndian(compound.AsSpan(2), (ushort)((compound.Length / 4) - 1));
        BinaryPrimitives.WriteUInt32BigEndian(compound.AsSpan(4), 0xCAFE0000 + (uint)source);
        return compound;
    }
}
