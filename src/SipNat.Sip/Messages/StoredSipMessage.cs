using System.Text;
using SipNat.Wire;

namespace SipNat.Sip.Messages;

/// <summary>A message that outlives the call that brought it: its bytes and index copied once, and the same view over them.</summary>
public sealed class StoredSipMessage
{
    private readonly byte[] _bytes;
    private readonly SipHeaderIndex _index;

    public StoredSipMessage(SipMessage message)
    {
        _bytes = message.Bytes.ToArray();
        _index = message.Index.Copy();
        CallId = Encoding.UTF8.GetString(message.CallId);
        FromTag = Encoding.UTF8.GetString(message.FromTag);
        ToTag = Encoding.UTF8.GetString(message.ToTag);
    }

    public SipMessage View => new(_bytes, _index);

    public bool IsRequest => View.IsRequest;

    /// <summary>The method of the request line; of a response, the one of its CSeq.</summary>
    public SipMethod Method => View.Method;

    /// <summary>100–699; 0 in a request.</summary>
    public int StatusCode => View.StatusCode;

    public string CallId { get; }

    /// <summary>Empty where the peer follows RFC 2543 and gives none.</summary>
    public string FromTag { get; }

    /// <summary>Empty outside a dialog.</summary>
    public string ToTag { get; }

    public uint CSeqNumber => View.CSeqNumber;

    /// <summary>Empty in a response.</summary>
    public string RequestUri => Encoding.UTF8.GetString(View.RequestUri);

    public ReadOnlyMemory<byte> Body => _bytes.AsMemory(_index.Layout.Body.Start, _index.Layout.Body.Length);

    /// <summary>Reads a message that is kept from the start; false also for one that could only be answered with an error.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out StoredSipMessage? message)
    {
        message = SipMessage.TryRead(bytes, new(), out var view, out var defect) && defect is SipDefect.None ? new(view) : null;
        return message is not null;
    }

    /// <summary>The first header line of a name, unfolded; null where there is none.</summary>
    public string? Header(SipHeader header) => View.TryGet(header, out var value) ? SipText.Unfold(value) : null;

    /// <summary>Every value in order, unfolded; of a list header, every element of every line.</summary>
    public IReadOnlyList<string> Headers(SipHeader header)
    {
        var values = new List<string>();
        foreach (var value in View.Values(header)) values.Add(SipText.Unfold(value));

        return values;
    }

    /// <summary>Every line of a header that <see cref="SipHeader"/> does not have, unfolded and undivided.</summary>
    public IReadOnlyList<string> Headers(string name)
    {
        var values = new List<string>();
        foreach (var line in View.Lines)
        {
            if (Ascii.EqualsIgnoreCase(line.Name, name)) values.Add(SipText.Unfold(line.Value));
        }

        return values;
    }

    /// <summary>The delta-seconds of a header such as Expires or Min-Expires; null where there are none.</summary>
    public TimeSpan? Seconds(SipHeader header) => View.TryGet(header, out var value) && SipSeconds.TryRead(value, out var seconds) ? seconds : null;

    /// <summary>Where whoever answered saw the request come from (RFC 3581 §4); none where it does not say.</summary>
    public TransportAddress SeenAt => View.TryGetTopVia(out var via) && via.TryGetReflexive(out var seen) ? seen : default;

    /// <summary>Whether a list of tokens (Require, Supported, Allow, …) holds one, in any case.</summary>
    public bool HasToken(SipHeader header, string token) => View.HasToken(header, Encoding.UTF8.GetBytes(token));

    /// <summary>The URI of the first value of an address header; null where there is none to be read.</summary>
    public SipUri? Uri(SipHeader header) =>
        View.TryGetAddress(header, out var address) && SipUri.TryRead(address.Uri, out var uri) ? uri : null;
}
