using System.Text;
using SipNat.Bench.Compare;

namespace SipNat.Lab.Tests.Bench;

/// <summary>The examples of BEP 3, and what is none.</summary>
public sealed class BencodeTests
{
    [Theory]
    [InlineData("4:spam")]
    [InlineData("i3e")]
    [InlineData("i-3e")]
    [InlineData("i0e")]
    [InlineData("l4:spam4:eggse")]
    [InlineData("d3:cow3:moo4:spam4:eggse")]
    [InlineData("d4:spaml1:a1:bee")]
    public void Values_are_read_and_written_as_the_specification_has_them(string text) =>
        Assert.Equal(text, Encoding.ASCII.GetString(Bencode.Write(Bencode.Read(Encoding.ASCII.GetBytes(text)))));

    [Fact]
    public void Values_are_what_the_specification_says()
    {
        var read = Assert.IsType<SortedDictionary<string, object>>(Bencode.Read("d4:spaml1:a1:be3:numi-3ee"u8));

        Assert.Equal(["num", "spam"], read.Keys);
        Assert.Equal(-3L, read["num"]);
        Assert.Equal(["a", "b"], Assert.IsType<List<object>>(read["spam"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5:spam")]
    [InlineData("-1:a")]
    [InlineData("i3")]
    [InlineData("ie")]
    [InlineData("l4:spam")]
    [InlineData("di3e3:mooe")]
    [InlineData("d3:cowe")]
    [InlineData("i3ei4e")]
    [InlineData("llllllllllllllllllllllllllllllllllllllllee")]
    public void What_is_no_value_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => Bencode.Read(Encoding.ASCII.GetBytes(text)));
}
