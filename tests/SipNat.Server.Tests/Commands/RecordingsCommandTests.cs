using System.Text;
using System.Text.Json;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Media.Codecs;
using SipNat.Server.Commands;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Commands;

public sealed class RecordingsCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingDocument _document;

    public RecordingsCommandTests()
    {
        File.WriteAllText(_folder["sipnat.json"], """{ "Recording": { "Directory": "recordings", "Database": "Data Source=catalogue.db" } }""");
        using var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        var document = TemporaryFolder.Document() with
        {
            Participants = [new("sip:eve@example.com", "[red]Eve[/]\u001b[2J")],
            Timeline = [new(TemporaryFolder.Start, "answered", "200 OK")],
        };
        _document = TemporaryFolder.WithAudio(archive.Store, document, (AudioCodec.Pcmu, 0, new byte[800]), (AudioCodec.Pcma, 0.1, new byte[800]));
        archive.Save([_document], durable: false);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task List_prints_the_summaries_as_json()
    {
        var (code, output, error) = await RunAsync("recordings", "list", "--json");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(Encoding.UTF8.GetString(RecordingJson.WriteList([_document.ToSummary()])) + Environment.NewLine, output);
    }

    [Theory]
    [InlineData("--party eve", 1)]
    [InlineData("--party alice", 0)]
    [InlineData("--since 2026-11-20T23:59:58Z --until 2026-11-21", 1)]
    [InlineData("--since 2026-11-21T00:00", 0)]
    [InlineData("--until 2026-11-20T23:59:58+00:00", 0)]
    [InlineData("--since 2026-11-21T00:59:58+01:00", 1)]
    public async Task List_filters(string arguments, int count)
    {
        var (_, output, _) = await RunAsync(["recordings", "list", "--json", .. arguments.Split(' ')]);

        Assert.Equal(count, JsonDocument.Parse(output).RootElement.GetArrayLength());
    }

    [Theory]
    [InlineData("list")]
    [InlineData($"show {TemporaryFolder.Id}")]
    public async Task A_name_from_the_wire_is_neither_markup_nor_terminal_control(string arguments)
    {
        var (code, output, _) = await RunAsync(["recordings", .. arguments.Split(' ')]);

        Assert.Equal(0, code);
        Assert.Contains("[red]Eve[/]\\u{1B}[2J <sip:eve@example.com>", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
        Assert.Contains(TemporaryFolder.Id, output, StringComparison.Ordinal);
        Assert.Contains("203.0.113.9:5060", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_prints_the_whole_document_as_json()
    {
        var (code, output, error) = await RunAsync("--json", "recordings", "show", TemporaryFolder.Id);

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(Encoding.UTF8.GetString(RecordingJson.Write(_document)) + Environment.NewLine, output);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("export")]
    [InlineData("delete")]
    public async Task An_unknown_id_ends_with_1(string command)
    {
        var (code, output, error) = await RunAsync("recordings", command, "20261120-none\u001b");

        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"There is no recording '20261120-none\\u{{1B}}': 'recordings list' shows the ids.{Environment.NewLine}", error);
    }

    [Fact]
    public async Task Export_writes_a_file_once_and_again_only_by_force()
    {
        var file = _folder["call.wav"];
        string[] export = ["recordings", "export", TemporaryFolder.Id, "--output", file, "--json"];

        var (code, output, _) = await RunAsync(export);
        Assert.Equal(0, code);
        Assert.Equal($$"""{"schema":1,"files":[{"file":"{{file}}","labels":["1","2"],"durationSeconds":0.2}],"omittedStreams":0,"kept":[]}""" + Environment.NewLine, output);
        Assert.True(new FileInfo(file).Length > 1600 * 2 * 2);

        Assert.Equal((1, ""), (await RunAsync(export) is var (again, nothing, _) ? (again, nothing) : default));
        Assert.Equal(0, (await RunAsync([.. export, "--force"])).Code);
        Assert.Equal(0, (await RunAsync("recordings", "export", TemporaryFolder.Id, "--stream", "2", "--output", _folder["two.wav"])).Code);
        Assert.Equal(0, (await RunAsync("recordings", "export", TemporaryFolder.Id, "--format", "streams", "--output", _folder["all.wav"])).Code);
        Assert.True(File.Exists(_folder["all-1.wav"]) && File.Exists(_folder["all-2.wav"]));
    }

    [Fact]
    public async Task Export_tells_of_packets_that_it_left_out_and_ends_with_1_where_there_is_nothing_else()
    {
        using (var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database))
        {
            archive.Save([DumpFile.WithPackets(archive.Store, _document, Enumerable.Range(0, 51))], durable: false);
        }

        var file = $"{Path.GetDirectoryName(_document.Streams[0].Files[0].File)}/stream-3.rtpdump";
        var (code, output, _) = await RunAsync("recordings", "export", TemporaryFolder.Id, "--format", "channels", "--output", _folder["call.wav"]);
        Assert.Equal(0, code);
        Assert.EndsWith($"Stream 3: AMR is not decoded here; its packets are in {file}.{Environment.NewLine}", output, StringComparison.Ordinal);
        var (_, json, _) = await RunAsync("recordings", "export", TemporaryFolder.Id, "--format", "streams", "--output", _folder["call.wav"], "--json");
        Assert.EndsWith($$"""omittedStreams":1,"kept":[{"stream":3,"codec":"AMR","file":"{{file}}"}]}""" + Environment.NewLine, json, StringComparison.Ordinal);

        var (refused, nothing, error) = await RunAsync("recordings", "export", TemporaryFolder.Id, "--stream", "3", "--output", _folder["three.wav"]);
        Assert.Equal((1, ""), (refused, nothing));
        Assert.Equal(
            $"{TemporaryFolder.Id} has no audio that can be decoded here: stream 3 is kept as packets of AMR in {file}. docs/troubleshooting.md says how to turn them into sound (codec-kept-as-packets).{Environment.NewLine}",
            error);
        Assert.Contains($"{file} (AMR, 51 packets)", (await RunAsync("recordings", "show", TemporaryFolder.Id)).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("recordings", "verify")).Code);
    }

    [Fact]
    public async Task Verify_tells_what_is_wrong_and_ends_with_1()
    {
        Assert.Equal((0, $$"""{"schema":1,"problems":[]}""" + Environment.NewLine, ""), await RunAsync("recordings", "verify", "--json"));

        File.Delete(Path.Combine(_folder.Recordings, _document.Streams[0].Files[0].File));

        var (code, output, _) = await RunAsync("recordings", "verify");
        Assert.Equal(1, code);
        Assert.Contains("is not there", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reindex_finds_again_what_the_catalogue_lost()
    {
        foreach (var file in Directory.GetFiles(_folder.Path, "catalogue.db*")) File.Delete(file);

        Assert.Equal(
            (0, $$"""{"schema":1,"indexed":1,"recovered":0,"removed":0,"problemCount":0,"problems":[]}""" + Environment.NewLine, ""),
            await RunAsync("recordings", "reindex", "--json"));
        Assert.Contains(TemporaryFolder.Id, (await RunAsync("recordings", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_removes_the_recording_and_its_files()
    {
        Assert.Equal(0, (await RunAsync("recordings", "delete", TemporaryFolder.Id)).Code);

        Assert.Equal($"No recordings.{Environment.NewLine}", (await RunAsync("recordings", "list")).Output);
        Assert.Empty(Directory.GetFiles(_folder.Recordings, "*.wav", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Delete_touches_nothing_where_one_of_the_ids_is_unknown()
    {
        Assert.Equal(
            (1, "", $"There is no recording 'rec-x': 'recordings list' shows the ids.{Environment.NewLine}"),
            await RunAsync("recordings", "delete", TemporaryFolder.Id, "rec-x"));

        Assert.Contains(TemporaryFolder.Id, (await RunAsync("recordings", "list")).Output, StringComparison.Ordinal);
        Assert.Equal((0, $"{TemporaryFolder.Id} is deleted.{Environment.NewLine}", ""), await RunAsync("recordings", "delete", TemporaryFolder.Id, TemporaryFolder.Id));
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await SipNatCommandLine.RunAsync([.. arguments, "--config", _folder["sipnat.json"]], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
