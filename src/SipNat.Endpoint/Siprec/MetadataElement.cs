using System.Text;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// One XML element of a metadata document. Names are compared by what they mean to any dialect: without prefix, case,
/// hyphens and underscores, so that <c>session_id</c>, <c>sessionId</c> and <c>session-id</c> are one.
/// </summary>
internal sealed class MetadataElement(string name, MetadataElement? parent)
{
    // Longer names mean nothing to any dialect.
    private const int MaxKeyOnStack = 128;

    private readonly List<(MetadataElement? Child, string? Text)> _nodes = [];
    private readonly List<MetadataElement> _children = [];
    private readonly List<(string Name, string Key, string Value)> _attributes = [];

    /// <summary>As written, with its prefix.</summary>
    public string Name { get; } = name;

    public string Key { get; } = KeyOf(name);

    public MetadataElement? Parent { get; } = parent;

    public IReadOnlyList<MetadataElement> Children => _children;

    /// <summary>The text directly inside, without white space around it; null where there is none.</summary>
    public string? Text => Meaningful(_nodes switch
    {
        [] => string.Empty,
        [(_, var text)] => text ?? string.Empty,
        _ => string.Concat(_nodes.Select(node => node.Text)),
    });

    /// <summary>The namespace that the prefix, or its absence, stands for here; null where it is not declared.</summary>
    public string? Namespace
    {
        get
        {
            var colon = Name.IndexOf(':', StringComparison.Ordinal);
            var declaration = colon < 0 ? "xmlns" : $"xmlns:{Name[..colon]}";
            for (var element = this; element is not null; element = element.Parent)
            {
                foreach (var (attribute, _, value) in element._attributes)
                {
                    if (attribute == declaration) return value;
                }
            }

            return null;
        }
    }

    public void AddAttribute(string attribute, string value) => _attributes.Add((attribute, KeyOf(attribute), value));

    public void AddText(string text) => _nodes.Add((null, text));

    public MetadataElement AddChild(string child)
    {
        var element = new MetadataElement(child, this);
        _nodes.Add((element, null));
        _children.Add(element);
        return element;
    }

    public IEnumerable<MetadataElement> ChildrenOf(string key) => _children.Where(child => child.Key == key);

    /// <summary>The first that is given: an attribute of these keys in their order, else a child element's text.</summary>
    public string? Value(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            foreach (var (_, attribute, value) in _attributes)
            {
                if (attribute == key && Meaningful(value) is { } found) return found;
            }
        }

        foreach (var key in keys)
        {
            foreach (var child in _children)
            {
                if (child.Key == key && child.Text is { } found) return found;
            }
        }

        return null;
    }

    /// <summary>The element as XML. Prefixes that are declared outside of it are not declared again.</summary>
    public string ToXml()
    {
        var xml = new StringBuilder();
        AppendTo(xml);
        return xml.ToString();
    }

    private void AppendTo(StringBuilder xml)
    {
        xml.Append('<').Append(Name);
        foreach (var (attribute, _, value) in _attributes)
        {
            xml.Append(' ').Append(attribute).Append("=\"");
            AppendEscaped(xml, value);
            xml.Append('"');
        }

        if (_nodes.Count == 0)
        {
            xml.Append("/>");
            return;
        }

        xml.Append('>');
        foreach (var (child, text) in _nodes)
        {
            child?.AppendTo(xml);
            AppendEscaped(xml, text);
        }

        xml.Append("</").Append(Name).Append('>');
    }

    private static void AppendEscaped(StringBuilder xml, string? text)
    {
        foreach (var character in text.AsSpan())
        {
            _ = character switch
            {
                '<' => xml.Append("&lt;"),
                '>' => xml.Append("&gt;"),
                '&' => xml.Append("&amp;"),
                '"' => xml.Append("&quot;"),
                _ => xml.Append(character),
            };
        }
    }

    private static string KeyOf(string name)
    {
        // A declaration of a prefix is not a name of the vocabulary: xmlns:id must not pass for an id.
        if (name.StartsWith("xmlns", StringComparison.Ordinal)) return name;

        var local = name.AsSpan(name.IndexOf(':', StringComparison.Ordinal) + 1);
        Span<char> key = local.Length <= MaxKeyOnStack ? stackalloc char[MaxKeyOnStack] : new char[local.Length];
        var length = 0;
        foreach (var character in local)
        {
            if (character is not ('-' or '_')) key[length++] = char.ToLowerInvariant(character);
        }

        // Most names are keys as they are.
        return name.AsSpan().SequenceEqual(key[..length]) ? name : new string(key[..length]);
    }

    private static string? Meaningful(string text) => text.Trim() is { Length: > 0 } meaningful ? meaningful : null;
}
