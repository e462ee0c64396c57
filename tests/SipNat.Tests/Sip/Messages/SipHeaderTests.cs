using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Messages;

public class SipHeaderTests
{
    [Fact]
    public void Every_header_is_found_by_its_name_in_any_case()
    {
        foreach (var header in Enum.GetValues<SipHeader>().Where(h => h is not SipHeader.Other))
        {
            Assert.NotEqual("", header.Name);
            Assert.Equal(header, SipHeaders.Find(Encoding.ASCII.GetBytes(header.Name)));
            Assert.Equal(header, SipHeaders.Find(Encoding.ASCII.GetBytes(header.Name.ToUpperInvariant())));
        }
    }

    [Fact]
    public void Compact_forms_are_those_of_the_registry()
    {
        var forms = "abcdefghijklmnopqrstuvwxyz".Select(c => $"{c} {SipHeaders.Find([(byte)c]).Name}");

        Assert.Equal(
            "a Accept-Contact, b Referred-By, c Content-Type, d Request-Disposition, e Content-Encoding, f From, g , h , "
            + "i Call-ID, j Reject-Contact, k Supported, l Content-Length, m Contact, n Identity-Info, o Event, p , q , "
            + "r Refer-To, s Subject, t To, u Allow-Events, v Via, w , x Session-Expires, y Identity, z ",
            string.Join(", ", forms));
        Assert.Equal(SipHeader.Via, SipHeaders.Find("V"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Content-Lengt")]
    [InlineData("Content-Lengthy")]
    [InlineData("7")]
    [InlineData("[")]
    [InlineData("X-Anything-That-Is-Longer-Than-Any-Known-Name")]
    public void Other_names_are_other(string name) => Assert.Equal(SipHeader.Other, SipHeaders.Find(Encoding.ASCII.GetBytes(name)));

    [Fact]
    public void Every_method_is_found_by_its_name_and_by_nothing_else()
    {
        foreach (var method in Enum.GetValues<SipMethod>().Where(m => m is not SipMethod.Unknown))
        {
            Assert.Equal(method, SipMethods.Find(Encoding.ASCII.GetBytes(method.Name)));
            Assert.Equal(SipMethod.Unknown, SipMethods.Find(Encoding.ASCII.GetBytes(method.Name.ToLowerInvariant())));
            Assert.Equal(SipMethod.Unknown, SipMethods.Find(Encoding.ASCII.GetBytes(method.Name + "X")));
        }
    }

    [Fact]
    public void Every_defect_has_a_text_and_a_status()
    {
        foreach (var defect in Enum.GetValues<SipDefect>())
        {
            Assert.NotEqual("", defect.Explain());
            Assert.InRange(defect.Status(), 400, 505);
        }
    }
}
