using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// Answers Binding requests without credentials, as keepalive of SIP flows needs it (RFC 5626 §8), and as little as
/// possible besides: XOR-MAPPED-ADDRESS, FINGERPRINT where the request had it, and no word about the software. Who may
/// ask is the owner's business; how often, is counted here.
/// </summary>
public sealed class StunBindingResponder
{
    /// <summary>The longest answer: 420 with its list and FINGERPRINT.</summary>
    public const int MaxResponseLength = 128;

    /// <summary>Answers each second to one source address; many phones may stand behind one.</summary>
    public const int PerSecond = 50;

    /// <summary>Sources that are told apart in one second; the rest shares the budget of one.</summary>
    public const int MaxSources = 1024;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    // All its room is taken at the start: an answer allocates nothing.
    private readonly Dictionary<TransportAddress, int> _counts = new(MaxSources + 1);
    private Instant _windowEnds;

    /// <summary>Requests that were answered.</summary>
    public long Answered { get; private set; }

    /// <summary>Requests that were not answered, for their number or because they were broken.</summary>
    public long Withheld { get; private set; }

    /// <summary>Whether a message is for this: a Binding request, of which a client of our own knows nothing.</summary>
    public static bool IsRequest(StunMessage message) => message is { Class: StunClass.Request, Method: StunMethod.Binding };

    /// <summary>Writes the answer to a request of <see cref="IsRequest"/>.</summary>
    /// <param name="now">The time.</param>
    /// <param name="from">Who asks, and what is told.</param>
    /// <param name="request">The request.</param>
    /// <param name="response"><see cref="MaxResponseLength"/> bytes.</param>
    /// <param name="length">Bytes of the answer.</param>
    /// <returns>False where none is due.</returns>
    public bool TryAnswer(Instant now, TransportAddress from, StunMessage request, Span<byte> response, out int length)
    {
        length = 0;
        var hasFingerprint = request.TryGet(StunAttributeType.Fingerprint, out _);
        if ((hasFingerprint && !StunFingerprint.IsValid(request)) || !TryCount(now, from))
        {
            Withheld++;
            return false;
        }

        Answered++;
        var isError = HasStrange(request);
        var writer = new StunWriter(response, isError ? StunClass.Error : StunClass.Success, StunMethod.Binding, request.TransactionId);
        if (isError) WriteStrange(ref writer, request);
        else writer.AddAddress(StunAttributeType.XorMappedAddress, from);
        if (hasFingerprint) writer.AddFingerprint();
        length = writer.Length;
        return true;
    }

    // CHANGE-REQUEST and RESPONSE-PORT (RFC 5780) too: nobody has an answer sent anywhere else.
    private static bool IsStrange(StunAttributeType type) => type.MustBeUnderstood && type is not (
        StunAttributeType.Username or StunAttributeType.UserHash or StunAttributeType.Realm or StunAttributeType.Nonce
        or StunAttributeType.MessageIntegrity or StunAttributeType.MessageIntegritySha256 or StunAttributeType.PasswordAlgorithm);

    private static bool HasStrange(StunMessage request)
    {
        foreach (var attribute in request.Attributes)
        {
            if (IsStrange(attribute.Type)) return true;
        }

        return false;
    }

    private static void WriteStrange(ref StunWriter writer, StunMessage request)
    {
        Span<byte> types = stackalloc byte[StunUnknownAttributes.MaxCount * sizeof(ushort)];
        var length = 0;
        foreach (var attribute in request.Attributes)
        {
            if (!IsStrange(attribute.Type) || length == types.Length) continue;

            BinaryPrimitives.WriteUInt16BigEndian(types[length..], (ushort)attribute.Type);
            length += sizeof(ushort);
        }

        writer.AddErrorCode(StunErrorCode.UnknownAttribute, "Unknown Attribute");
        writer.Add(StunAttributeType.UnknownAttributes, types[..length]);
    }

    private bool TryCount(Instant now, TransportAddress from)
    {
        if (now >= _windowEnds)
        {
            _counts.Clear();
            _windowEnds = now + Window;
        }

        var source = from.WithPort(0);
        if (!_counts.ContainsKey(source) && _counts.Count >= MaxSources) source = default;
        var count = _counts.GetValueOrDefault(source);
        if (count >= PerSecond) return false;

        _counts[source] = count + 1;
        return true;
    }
}
