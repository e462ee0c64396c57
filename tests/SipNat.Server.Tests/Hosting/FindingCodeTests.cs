using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Endpoint.Diagnosis;
using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

/// <summary>The one list of findings: what the disk adds to it, and that the manual has each of them.</summary>
public sealed class FindingCodeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, string> Faults => new()
    {
        {
            nameof(AudioFault.Refused),
            "audio-not-written: a.wav has not been written since 2026-11-20 12:00:00.000Z: No space left on device. Its audio waits in memory and is tried again every second."
        },
        {
            nameof(AudioFault.Ended),
            "audio-not-written: a.wav is not written from 2026-11-20 12:00:00.000Z on: No space left on device."
        },
        {
            nameof(AudioFault.Resumed),
            "audio-written-again: a.wav was not written from 2026-11-20 11:59:00.000Z to 2026-11-20 12:00:00.000Z (No space left on device); 1.000 s of it are silence in the file: from second 2.000 to 3.000."
        },
        {
            nameof(AudioFault.Silenced),
            "audio-not-written: a.wav has been written in part only since 2026-11-20 11:59:00.000Z: No space left on device; 1.500 s of it are silence in the file: from second 2.000 to 3.000, from second 4.000 to 4.500."
        },
        {
            nameof(AudioFault.NotForced),
            "audio-not-forced: The medium did not confirm what was written to a.wav before 2026-11-20 12:00:00.000Z: No space left on device. A power cut may cost it."
        },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_of_the_disk_is_found_with_its_file_time_and_reason(string fault, string expected)
    {
        const string Path = "/recordings/2026/11/20/a/a.wav";
        const string Reason = "No space left on device.";
        AudioFault planted = fault switch
        {
            nameof(AudioFault.Refused) => new AudioFault.Refused(Path, Noon, Reason),
            nameof(AudioFault.Ended) => new AudioFault.Ended(Path, Noon, Reason),
            nameof(AudioFault.Resumed) => new AudioFault.Resumed(Path, Noon, Reason, Noon.AddMinutes(-1), [new(16_000, 24_000)]),
            nameof(AudioFault.Silenced) => new AudioFault.Silenced(Path, Noon, Reason, Noon.AddMinutes(-1), [new(16_000, 24_000), new(32_000, 36_000)]),
            _ => new AudioFault.NotForced(Path, Noon, Reason),
        };

        var finding = AudioFilesFindings.Of(planted);
        Assert.Equal(new RecordingFinding(expected.Split(": ")[0], expected[(expected.IndexOf(": ", StringComparison.Ordinal) + 2)..], Noon), finding);
    }

    [Fact]
    public void Every_code_of_the_disk_has_a_fault_that_leads_to_it() =>
        Assert.Equal(
            Enum.GetValues<FindingCode>().Select(code => code.Text).Where(text => text.StartsWith("audio-", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Faults.Select(row => row.Data.Item2.Split(": ")[0]).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_manual_explains_every_code_and_no_other()
    {
        var page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "troubleshooting.md"));
        var explained = page
            .SkipWhile(line => !line.StartsWith("| code |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(row => row.Split('|') is [_, var code, var meaning, var advice, ""] && meaning.Trim().Length > 0 && advice.Trim().Length > 0 ? code.Trim().Trim('`') : row);

        Assert.Equal(Enum.GetValues<FindingCode>().Select(code => code.Text).Order(StringComparer.Ordinal), explained.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_table_of_what_a_call_repairs_names_findings_that_there_are()
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "troubleshooting.md"))
            .SkipWhile(line => !line.StartsWith("| what is wrong |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(row => row.Split('|'))
            .ToList();
        var named = rows.SelectMany(row => row[3].Split('`').Where((_, i) => i % 2 == 1)).ToList();

        Assert.All(rows, row => Assert.Equal(5, row.Length));
        Assert.NotEmpty(rows);
        Assert.Empty(named.Except(Enum.GetValues<FindingCode>().Select(code => code.Text)));
    }
}
