using System.Text;
using SipNat.Endpoint.Siprec;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class MultipartReaderTests
{
    private const string Sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n";
    private const string Xml = "<recording/>";

    [Theory]
    [InlineData("multipart/mixed;boundary=b")]
    [InlineData("Multipart/Mixed; Boundary=\"b\"")]
    [InlineData("MULTIPART/RELATED ; type=\"application/sdp\"; boundary = b ; start=x")]
    [InlineData("multipart/alternative;boundary=\"b\";x=\"y;boundary=z\"")]
    public void The_kind_of_multipart_and_the_spelling_of_the_boundary_do_not_matter(string type) =>
        Assert.Equal((Sdp.TrimEnd(), Xml, ""), Read(type, TwoParts("Content-Type: application/sdp\r\n", "Content-Type: application/rs-metadata+xml\r\n")));

    [Theory]
    [InlineData("Content-Type:application/sdp\r\n")]
    [InlineData("content-type :  Application/SDP ; charset=utf-8\r\n")]
    [InlineData("Content-ID: <x>\r\nContent-Disposition: session\r\nContent-Type:\r\n application/sdp\r\nContent-Length: 9\r\n")]
    [InlineData("MIME-Version: 1.0\r\nContent-Type:\r\n\tapplication/sdp;\r\n\tx=y\r\nContent-Transfer-Encoding: 8bit\r\n")]
    public void Part_headers_come_in_any_order_and_spelling(string headers) =>
        Assert.Equal((Sdp.TrimEnd(), Xml, ""), Read("multipart/mixed;boundary=b", TwoParts(headers, "Content-Type: application/rs-metadata+xml\r\n")));

    [Fact]
    public void Parts_come_in_any_order_with_unknown_ones_between() =>
        Assert.Equal((Sdp.TrimEnd(), Xml, ""), Read(
            "multipart/mixed;boundary=b",
            $"preamble\r\n--b \t\r\nContent-Type: application/rs-metadata\r\n\r\n{Xml}\r\n--b\r\nContent-Type: application/gtd\r\n\r\nIAM,\r\n"
            + $"--b\r\nContent-Type: application/sdp\r\n\r\n{Sdp}--b--\r\nepilogue\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=1"));

    [Theory]
    [InlineData("application/sdp", Sdp, Sdp, null, "")]
    [InlineData("application/rs-metadata+xml", Xml, null, Xml, "")]
    [InlineData("Application/RS-Metadata; charset=utf-8", Xml, null, Xml, "")]
    [InlineData("text/xml", Xml, null, null, "")]
    [InlineData("text/plain", "hello", null, null, "")]
    [InlineData("application/sdp", "", null, null, "")]
    [InlineData("", "", null, null, "")]
    [InlineData("", Sdp, Sdp, null, "MissingContentType")]
    [InlineData("", Xml, null, Xml, "MissingContentType")]
    public void A_bare_body_is_what_its_type_says_or_its_first_bytes(string type, string body, string? sdp, string? xml, string defects) =>
        Assert.Equal((sdp, xml, defects), Read(type, body));

    [Theory]
    [InlineData("Recording-Session; handling=optional", true)]
    [InlineData("session", false)]
    public void Xml_of_any_type_is_metadata_where_the_message_says_recording_session(string disposition, bool isMetadata)
    {
        var body = MultipartReader.Read("application/xml"u8, Encoding.UTF8.GetBytes(disposition), Encoding.UTF8.GetBytes(Xml));
        var part = MultipartReader.Read(
            "multipart/mixed;boundary=b"u8, Encoding.UTF8.GetBytes(disposition), Encoding.UTF8.GetBytes($"--b\nContent-Type: text/xml\n\n{Xml}\n--b--"));

        Assert.Equal((isMetadata, isMetadata), (body.Metadata is not null, part.Metadata is not null));
        Assert.Equal(isMetadata ? "text/xml" : null, part.MetadataType);
    }

    [Fact]
    public void A_request_for_a_snapshot_is_seen() // RFC 7866 §9.2
    {
        Assert.True(MultipartReader.Read("application/rs-metadata-request"u8, "recording-session"u8, default).SnapshotRequested);
        Assert.False(MultipartReader.Read("application/sdp"u8, default, default).SnapshotRequested);
    }

    [Theory]
    [InlineData("base64", "PHJlY29y\r\nZGluZy8+", Xml, "")]
    [InlineData("BASE64", "PHJlY29yZGluZy8+\r\n", Xml, "")]
    [InlineData("quoted-printable", "<recor=\r\nding=2F>", Xml, "")]
    [InlineData("quoted-printable", "<recor=\nding=2f>", Xml, "")]
    [InlineData("8bit", Xml, Xml, "")]
    [InlineData("base64", "<recording/>", Xml, "BadTransferEncoding")]
    [InlineData("quoted-printable", "<recording/>=", "<recording/>=", "BadTransferEncoding")]
    [InlineData("x-unknown", Xml, Xml, "BadTransferEncoding")]
    public void Transfer_encodings_are_undone(string encoding, string content, string expected, string defects) // RFC 2045 §6
    {
        var read = Read("multipart/mixed;boundary=b", $"--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n--b--");

        Assert.Equal((expected, defects), (read.Xml?.TrimEnd(), read.Defects));
    }

    [Theory]
    [InlineData("multipart/mixed", "--b\nContent-Type: application/sdp\n\nv=0\n--b--", "WrongBoundary")]
    [InlineData("multipart/mixed;boundary=other", "text\n--b\nContent-Type: application/sdp\n\nv=0\n--b--", "WrongBoundary")]
    [InlineData("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n", "MissingLastBoundary")]
    [InlineData("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0", "MissingLastBoundary")]
    [InlineData("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\nv=0\n--b--", "")]
    [InlineData("multipart/mixed;boundary=b", "--b\n\nv=0\n--b--", "MissingContentType")]
    [InlineData("multipart/mixed;boundary=b", "--b\nv=0\n--b--", "MissingContentType")]
    [InlineData("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\n--b\nv=0\n--b--", "MissingContentType")]
    [InlineData("", "--b\nContent-Type: application/sdp\n\nv=0\n--b--", "MissingContentType, WrongBoundary")]
    public void What_is_missing_is_made_up_for(string type, string body, string defects)
    {
        var read = Read(type, body);

        Assert.Equal(("v=0", defects), (read.Sdp?.TrimEnd(), read.Defects));
    }

    [Fact]
    public void A_stray_boundary_inside_the_description_does_not_end_it() =>
        Assert.Equal(("v=0\n--b\na=label:1", null, "StrayBoundary"), Read("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n--b\na=label:1\n--b--"));

    [Fact]
    public void The_first_of_two_descriptions_is_taken() =>
        Assert.Equal(("v=0", null, "DuplicatePart"), Read(
            "multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n--b\nContent-Type: application/sdp\n\nv=1\n--b--"));

    [Fact]
    public void Nested_multiparts_are_entered_to_a_depth()
    {
        Assert.Equal(("v=0", null, ""), Read("multipart/mixed;boundary=b0", Nested(MultipartReader.MaxNesting)));
        Assert.Equal((null, null, "NestedTooDeep"), Read("multipart/mixed;boundary=b0", Nested(MultipartReader.MaxNesting + 1)));
    }

    [Fact]
    public void Parts_and_their_headers_have_limits()
    {
        var many = string.Concat(Enumerable.Repeat("--b\nContent-Type: text/plain\n\nx\n", MultipartReader.MaxParts)) + "--b\nContent-Type: application/sdp\n\nv=0\n--b--";
        var longHeader = $"--b\nX-Long: {new string('x', PartHeaders.MaxLength)}\n\nv=0\n--b\nContent-Type: application/sdp\n\nv=0\n--b--";

        Assert.Equal((null, null, "TooManyParts"), Read("multipart/mixed;boundary=b", many));
        Assert.Equal(("v=0", null, "PartHeaderTooLong"), Read("multipart/mixed;boundary=b", longHeader));
    }

    private static string TwoParts(string sdpHeaders, string xmlHeaders) => $"--b\r\n{sdpHeaders}\r\n{Sdp}--b\r\n{xmlHeaders}\r\n{Xml}\r\n--b--\r\n";

    private static string Nested(int depth)
    {
        var body = "Content-Type: application/sdp\n\nv=0";
        for (var level = depth - 1; level > 0; level--) body = $"Content-Type: multipart/mixed;boundary=b{level}\n\n--b{level}\n{body}\n--b{level}--";
        return $"--b0\n{body}\n--b0--";
    }

    private static (string? Sdp, string? Xml, string Defects) Read(string type, string body)
    {
        var read = MultipartReader.Read(Encoding.UTF8.GetBytes(type), default, Encoding.UTF8.GetBytes(body));
        return (Text(read.Sdp), Text(read.Metadata), string.Join(", ", read.Defects));
    }

    private static string? Text(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Encoding.UTF8.GetString(some.Span) : null;
}
