using SipNat.Fuzz.Engine;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A STUN message with every attribute, and its integrity.</summary>
internal sealed class StunMessageTarget : IFuzzTarget
{
    private static readonly StunAttributeType[] Types = Enum.GetValues<StunAttributeType>();
    private static readonly byte[] Key = StunIntegrity.ShortTermKey("VOkJxbRl1RmTxUk/WvJxBt");

    public string Name => "stun-message";

    public string Promise => "attributes lie within the message and are found by their type; addresses are written as they were read";

    public int MaxLength => 66 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        [0x21, 0x12, 0xA4, 0x42], [0x00, 0x01], [0x01, 0x01], [0x01, 0x11], [0x00, 0x20, 0x00, 0x08, 0, 1, 0x10, 0x92, 1, 2, 3, 4], [0x00, 0x01, 0x00, 0x14, 0, 2],
        [0x00, 0x09, 0x00, 0x04, 0, 0, 4, 20], [0x80, 0x28, 0x00, 0x04], [0x00, 0x08, 0x00, 0x14], [0x00, 0x1C, 0x00, 0x20], [0xFF, 0xFF], [0x7F, 0xFF, 0x00, 0x00], [0x00, 0x00],
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var vector in corpus.StunMessages()) yield return vector;

        yield return Answer(StunTransactionId.Create(new Random(1)), TransportAddress.Parse("[2001:db8::1]:4000"));
        yield return Answer(StunTransactionId.Create(new Random(2)), TransportAddress.Parse("203.0.113.1:4000"));
        yield return [.. Header(StunClass.Error, 20), 0, 9, 0, 16, 0, 0, 4, 1, .. "Unauthorized"u8];
    }

    public long AllowedBytes(int inputLength) => (64 * 1024) + inputLength;

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!StunMessage.TryRead(input, out var message, out var defect))
        {
            Invariant.Holds(defect is not StunDefect.None, "What cannot be read has a defect.");
            _ = StunMessage.LooksLikeStun(input);
            return (int)defect;
        }

        Invariant.Holds(StunMessage.LooksLikeStun(input) == input[0] <= 3, "What is STUN looks like it.");
        var seen = WalkAttributes(input, message);
        var hasCode = message.TryGetErrorCode(out var code, out var reason);
        Invariant.Inside(input, reason, "reason");
        Invariant.Holds(!hasCode || code is >= 300 and <= 699, "An error code is one of the registry's range.");
        _ = message.HasUnknownRequiredAttribute(out _);
        var isSigned = StunIntegrity.IsValid(message, Key) | StunIntegrity.IsValidSha256(message, Key);
        return HashCode.Combine(message.Class, (int)message.Method & 0xF, seen, isSigned, StunFingerprint.IsValid(message), hasCode);
    }

    private static int WalkAttributes(ReadOnlySpan<byte> input, StunMessage message)
    {
        var (count, seen) = (0, 0);
        foreach (var attribute in message.Attributes)
        {
            Invariant.Inside(input, attribute.Value, attribute.Type.ToString());
            Invariant.Holds(attribute.Offset >= StunMessage.HeaderLength && attribute.Offset < input.Length, "An attribute lies behind the header.");
            Invariant.Holds(message.TryGet(attribute.Type, out _), "An attribute is found by its type.");
            count++;
        }

        Invariant.Holds(count <= StunMessage.MaxAttributes, "Attributes are capped.");
        Span<byte> written = stackalloc byte[64];
        foreach (var type in Types)
        {
            if (!message.TryGetAddress(type, out var address)) continue;

            seen++;
            var writer = new StunWriter(written, message.Class, StunMethod.Binding, message.TransactionId);
            writer.AddAddress(type, address);
            Invariant.Holds(
                StunMessage.TryRead(writer.Written, out var again, out _) && again.TryGetAddress(type, out var same) && same == address,
                "An address is read as it is written.",
                $"{type} {address}");
        }

        return seen;
    }

    /// <summary>A Binding answer with one mapping.</summary>
    public static byte[] Answer(StunTransactionId id, TransportAddress mapped)
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, id);
        writer.AddAddress(StunAttributeType.XorMappedAddress, mapped);
        return writer.Written.ToArray();
    }

    private static byte[] Header(StunClass @class, int length)
    {
        var buffer = new byte[StunMessage.HeaderLength];
        _ = new StunWriter(buffer, @class, StunMethod.Binding, default);
        buffer[3] = (byte)length;
        return buffer;
    }
}
