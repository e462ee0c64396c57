using Serilog.Events;
using Serilog.Parsing;
using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("Alice <sip:alice@example.com>", "Alice <sip:alice@example.com>")]
    [InlineData("Zoë 日本 😀", "Zoë 日本 😀")]
    [InlineData("\u001b[2J", "\\u{1B}[2J")]
    [InlineData("a\r\nb\tc", "a\\u{D}\\u{A}b\\u{9}c")]
    [InlineData("\u009b31m", "\\u{9B}31m")]
    [InlineData("\u202Egnp.exe", "\\u{202E}gnp.exe")]
    [InlineData("x\u2028y\u200B", "x\\u{2028}y\\u{200B}")]
    public void What_could_drive_a_terminal_is_written_out(string text, string safe) => Assert.Equal(safe, SafeText.Escape(text));

    [Fact]
    public void Lines_of_ours_stay_lines() => Assert.Equal("a\nb\\u{1B}", SafeText.EscapeLines("a\r\nb\u001b"));

    [Fact]
    public void A_value_from_the_wire_cannot_begin_a_line_of_the_log()
    {
        var at = new DateTimeOffset(2026, 11, 21, 8, 30, 0, TimeSpan.FromHours(1));
        var template = new MessageTemplateParser().Parse("Call from {Name:l}");
        var forged = new LogEventProperty("Name", new ScalarValue("eve\n2026-11-21T07:31:00.000Z INF All is well"));
        var written = new StringWriter { NewLine = "\n" };

        new LogLines().Format(new(at, LogEventLevel.Warning, new InvalidOperationException("bad\u001b"), template, [forged]), written);

        Assert.Equal(
            "2026-11-21T07:30:00.000Z WRN Call from eve\\u{A}2026-11-21T07:31:00.000Z INF All is well\n" +
            "    System.InvalidOperationException: bad\\u{1B}\n",
            written.ToString());
    }
}
