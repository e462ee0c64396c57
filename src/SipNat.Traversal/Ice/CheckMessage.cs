using System.Buffers.Binary;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The Binding messages of ICE (RFC 8445 §7, §16.1).</summary>
internal static class CheckMessage
{
    /// <summary>The longest answer.</summary>
    public const int MaxResponseLength = 128;

    /// <summary>An indication: a header and FINGERPRINT.</summary>
    public const int IndicationLength = StunMessage.HeaderLength + 8;

    private const int RoleConflict = 487;
    private const int UnknownAttribute = 420;

    /// <summary>Header, USERNAME, PRIORITY, role, MESSAGE-INTEGRITY and FINGERPRINT, and USE-CANDIDATE where it nominates.</summary>
    public static int RequestLength(IceGeneration generation, bool isNominating) =>
        StunMessage.HeaderLength + 4 + StunAttribute.Padded(generation.Username.Length) + 8 + 12 + 24 + 8 + (isNominating ? 4 : 0);

    public static void WriteRequest(Span<byte> buffer, StunTransactionId id, IceGeneration generation, CheckRole role)
    {
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id);
        writer.Add(StunAttributeType.Username, generation.Username);
        writer.AddUInt32(StunAttributeType.Priority, role.Priority);
        Span<byte> tieBreaker = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(tieBreaker, role.TieBreaker);
        writer.Add(role.Role is IceRole.Controlling ? StunAttributeType.IceControlling : StunAttributeType.IceControlled, tieBreaker);
        if (role.IsNominating) writer.Add(StunAttributeType.UseCandidate, []);
        writer.AddIntegrity(generation.RemoteKey);
        writer.AddFingerprint();
    }

    public static int WriteSuccess(Span<byte> buffer, StunMessage request, TransportAddress from, ReadOnlySpan<byte> key)
    {
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, request.TransactionId);
        writer.AddAddress(StunAttributeType.XorMappedAddress, from);
        return End(ref writer, request, key);
    }

    public static int WriteRoleConflict(Span<byte> buffer, StunMessage request, ReadOnlySpan<byte> key)
    {
        var writer = new StunWriter(buffer, StunClass.Error, StunMethod.Binding, request.TransactionId);
        writer.AddErrorCode(RoleConflict, "Role Conflict");
        return End(ref writer, request, key);
    }

    public static int WriteUnknownAttribute(Span<byte> buffer, StunMessage request, StunAttributeType type, ReadOnlySpan<byte> key)
    {
        var writer = new StunWriter(buffer, StunClass.Error, StunMethod.Binding, request.TransactionId);
        writer.AddErrorCode(UnknownAttribute, "Unknown Attribute");
        Span<byte> value = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(value, (ushort)type);
        writer.Add(StunAttributeType.UnknownAttributes, value);
        return End(ref writer, request, key);
    }

    /// <summary>A keepalive that nobody answers (RFC 8445 §11).</summary>
    public static void WriteIndication(Span<byte> buffer, StunTransactionId id)
    {
        var writer = new StunWriter(buffer, StunClass.Indication, StunMethod.Binding, id);
        writer.AddFingerprint();
    }

    /// <summary>Whether the message is signed with the key, and its fingerprint, where it has one, is right.</summary>
    public static bool IsGenuine(StunMessage message, ReadOnlySpan<byte> key) =>
        StunIntegrity.IsValid(message, key)
        && (!message.TryGet(StunAttributeType.Fingerprint, out _) || StunFingerprint.IsValid(message));

    public static bool IsRoleConflict(StunMessage message) => message.TryGetErrorCode(out var code, out _) && code == RoleConflict;

    /// <summary>The role that the sender of a check has, with its tie-breaker; false where it tells none.</summary>
    public static bool TryGetRole(StunMessage message, out IceRole role, out ulong tieBreaker)
    {
        role = message.TryGet(StunAttributeType.IceControlling, out var value) ? IceRole.Controlling : IceRole.Controlled;
        tieBreaker = 0;
        if (role is IceRole.Controlled && !message.TryGet(StunAttributeType.IceControlled, out value)) return false;
        if (value.Length != sizeof(ulong)) return false;

        tieBreaker = BinaryPrimitives.ReadUInt64BigEndian(value);
        return true;
    }

    public static bool TryGetPriority(StunMessage message, out uint priority)
    {
        priority = 0;
        if (!message.TryGet(StunAttributeType.Priority, out var value) || value.Length != sizeof(uint)) return false;

        priority = BinaryPrimitives.ReadUInt32BigEndian(value);
        return priority is > 0 and <= int.MaxValue;
    }

    // FINGERPRINT only where the request had it: a peer that sent none may not know it.
    private static int End(ref StunWriter writer, StunMessage request, ReadOnlySpan<byte> key)
    {
        writer.AddIntegrity(key);
        if (request.TryGet(StunAttributeType.Fingerprint, out _)) writer.AddFingerprint();
        return writer.Length;
    }
}

/// <summary>What a check says of its sender.</summary>
/// <param name="Priority">PRIORITY: what a peer-reflexive candidate would be worth.</param>
internal readonly record struct CheckRole(IceRole Role, ulong TieBreaker, uint Priority, bool IsNominating);
