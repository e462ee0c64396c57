namespace SipNat.Sip.Messages;

/// <summary>
/// One header line of ours. Name and value never hold a line end, so that no value can begin another line: what comes
/// from the wire is cleaned by <see cref="FromWire"/>, anything else with one is refused with an exception.
/// </summary>
public sealed record SipHeaderField
{
    public SipHeaderField(SipHeader header, string value)
        : this(header.Name, value)
    {
    }

    public SipHeaderField(string name, string value)
    {
        if (!SipText.IsToken(name)) throw new ArgumentException($"'{name}' is not a header name.", nameof(name));

        (Name, Value) = (name, SipText.OneLine(value));
    }

    public string Name { get; }

    public string Value { get; }

    /// <summary>Takes text of a peer: its control characters become spaces.</summary>
    public static SipHeaderField FromWire(SipHeader header, string value) => new(header.Name, SipText.Clean(value));
}
