using System.Text;
using System.Xml;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// Reads a router's XML into its elements, within limits, and without document types or anything from outside. An element
/// comes when it ends, so that those inside of it come before it.
/// </summary>
internal static class UpnpXml
{
    /// <summary>Bytes of a document; descriptions have some thousands.</summary>
    public const int MaxLength = 64 * 1024;

    private const int MaxElements = 2_000;
    private const int MaxDepth = 32;

    /// <summary>False where it is not well-formed or too large.</summary>
    public static bool TryRead(ReadOnlySpan<byte> document, out IReadOnlyList<UpnpElement> elements)
    {
        elements = [];
        if (document.Length > MaxLength) return false;

        // Routers send what no declaration of theirs says, and zeros at the end.
        var text = Encoding.UTF8.GetString(document).Trim('\uFEFF', ' ', '\t', '\r', '\n', '\0');
        using var reader = XmlReader.Create(new StringReader(text), new()
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxLength,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
        });
        try
        {
            return TryRead(reader, out elements);
        }
        catch (XmlException)
        {
            // The platform's only way to say that a document is not well-formed.
            elements = [];
            return false;
        }
    }

    private static bool TryRead(XmlReader reader, out IReadOnlyList<UpnpElement> elements)
    {
        var found = new List<UpnpElement>();
        var open = new Stack<(string Name, StringBuilder Text)>();
        elements = found;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (open.Count + found.Count >= MaxElements || reader.Depth >= MaxDepth) return false;
                    if (reader.IsEmptyElement) found.Add(new(reader.LocalName, ""));
                    else open.Push((reader.LocalName, new()));
                    break;
                case XmlNodeType.EndElement:
                    var (name, text) = open.Pop();
                    found.Add(new(name, text.ToString().Trim()));
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    if (open.Count > 0) open.Peek().Text.Append(reader.Value);
                    break;
                default:
                    break;
            }
        }

        return found.Count > 0;
    }
}

/// <summary>An element that has ended.</summary>
/// <param name="Name">Without its prefix.</param>
/// <param name="Text">What stood in it beside other elements, trimmed.</param>
internal readonly record struct UpnpElement(string Name, string Text);
