using SipNat.Traversal.Ice;

namespace SipNat.Simulation.Ice;

/// <summary>What SIP does for ICE: it carries descriptions, as text.</summary>
internal static class IceSignalling
{
    /// <summary>The description as the peer reads it.</summary>
    public static IceDescription Carry(IceDescription description)
    {
        var reader = new IceDescriptionReader();
        foreach (var (name, value) in IceDescriptionWriter.Write(description)) reader.TryAdd(name, value);
        return reader.TryRead(out var read) ? read! : throw new InvalidOperationException("A description is not read as it was written.");
    }
}
