using System.Text;
using System.Text.Unicode;
using System.Xml;

namespace SipNat.Endpoint.Siprec;

/// <summary>Reads XML into elements, within limits and without document types or anything from outside.</summary>
internal static class MetadataElementReader
{
    public static MetadataDefect Read(ReadOnlySpan<byte> xml, out MetadataElement? root)
    {
        root = null;
        if (xml.Length > RecordingMetadataReader.MaxLength) return MetadataDefect.TooLong;

        var text = Decode(xml).Trim('\uFEFF', ' ', '\t', '\r', '\n', '\0');
        if (text.Length == 0) return MetadataDefect.Empty;

        // A document type is where entity expansion and outside references begin; no recording client needs one.
        if (text.Contains("<!DOCTYPE", StringComparison.OrdinalIgnoreCase)) return MetadataDefect.DocumentType;

        // Names are taken as written: a prefix without a declaration is a blemish here, not the end of the document.
        using var reader = new XmlTextReader(new StringReader(text))
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            Namespaces = false,
            WhitespaceHandling = WhitespaceHandling.Significant,
        };

        try
        {
            return Read(reader, ref root);
        }
        catch (XmlException)
        {
            // The platform's only way to say that a document is not well-formed.
            root = null;
            return MetadataDefect.Malformed;
        }
    }

    private static MetadataDefect Read(XmlTextReader reader, ref MetadataElement? root)
    {
        MetadataElement? current = null;
        var elements = 0;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (++elements > RecordingMetadataReader.MaxElements) return MetadataDefect.TooManyElements;
                    if (reader.Depth >= RecordingMetadataReader.MaxDepth) return MetadataDefect.TooDeep;
                    if (reader.AttributeCount > RecordingMetadataReader.MaxAttributes) return MetadataDefect.TooManyAttributes;

                    var element = current?.AddChild(reader.Name) ?? new MetadataElement(reader.Name, null);
                    root ??= element;
                    if (!reader.IsEmptyElement) current = element;
                    AddAttributes(reader, element);
                    break;
                case XmlNodeType.EndElement:
                    current = current?.Parent;
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    current?.AddText(reader.Value);
                    break;
                case XmlNodeType.EntityReference:
                    // Without a document type nothing is declared: the text stays as it was written.
                    current?.AddText($"&{reader.Name};");
                    break;
                default:
                    break;
            }
        }

        return root is null ? MetadataDefect.Malformed : MetadataDefect.None;
    }

    private static void AddAttributes(XmlTextReader reader, MetadataElement element)
    {
        for (var index = 0; index < reader.AttributeCount; index++)
        {
            reader.MoveToAttribute(index);
            element.AddAttribute(reader.Name, reader.Value);
        }

        reader.MoveToElement();
    }

    // The declared encoding is often not the real one. UTF-16 has its mark, what is valid UTF-8 is UTF-8, the rest can
    // only be a single-byte encoding.
    private static string Decode(ReadOnlySpan<byte> xml) => xml switch
    {
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(xml),
        [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(xml),
        _ => Utf8.IsValid(xml) ? Encoding.UTF8.GetString(xml) : Encoding.Latin1.GetString(xml),
    };
}
