namespace SipNat.Sip.Sdp;

/// <summary>An <c>a=</c> line (RFC 8866 §5.13): a property (<c>a=sendonly</c>, no value) or a value (<c>a=label:1</c>).</summary>
public sealed record SdpAttribute(string Name, string? Value = null)
{
    /// <summary>Name and value; a key is in no text that is meant for people.</summary>
    public override string ToString()
    {
        var isKey = string.Equals(Name, SdpCrypto.AttributeName, StringComparison.OrdinalIgnoreCase);
        return $"{nameof(SdpAttribute)} {{ Name = {Name}, Value = {(isKey ? "(masked)" : Value)} }}";
    }
}

public static class SdpAttributes
{
    extension(IReadOnlyList<SdpAttribute> attributes)
    {
        /// <summary>The first value of that name; null where it is absent or empty. Names are matched in any case.</summary>
        public string? ValueOf(string name)
        {
            foreach (var attribute in attributes)
            {
                if (Is(attribute, name)) return string.IsNullOrEmpty(attribute.Value) ? null : attribute.Value;
            }

            return null;
        }

        public bool Has(string name)
        {
            foreach (var attribute in attributes)
            {
                if (Is(attribute, name)) return true;
            }

            return false;
        }

        /// <summary>The first direction attribute (RFC 8866 §6.7); null where none is given.</summary>
        public SdpDirection? Direction
        {
            get
            {
                foreach (var attribute in attributes)
                {
                    if (SdpDirections.TryRead(attribute.Name, out var direction)) return direction;
                }

                return null;
            }
        }
    }

    private static bool Is(SdpAttribute attribute, string name) =>
        string.Equals(attribute.Name, name, StringComparison.OrdinalIgnoreCase);
}
