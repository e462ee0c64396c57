using SipNat.Traversal.Ice;

namespace SipNat.NatLab.Ice;

/// <summary>
/// Carries descriptions between two programs by files of a folder, one for each side and restart: lines of SDP, such as
/// <c>a=ice-ufrag:F7gI</c>, in <c>controlling.1.sdp</c> and <c>controlled.1.sdp</c>. A file is whole as soon as it is there.
/// </summary>
internal sealed class IceExchange(string folder, IceRole role)
{
    private readonly string _own = NameOf(role);
    private readonly string _peer = NameOf(role is IceRole.Controlling ? IceRole.Controlled : IceRole.Controlling);

    public void Tell(int generation, IceDescription description)
    {
        var lines = IceDescriptionWriter.Write(description).Select(line => line.Value is null ? $"a={line.Name}" : $"a={line.Name}:{line.Value}");
        var draft = PathOf(_own, generation) + ".draft";
        File.WriteAllText(draft, string.Join('\n', lines) + "\n");
        File.Move(draft, PathOf(_own, generation));
    }

    /// <summary>What the peer told; null while it has not.</summary>
    public IceDescription? Read(int generation)
    {
        var path = PathOf(_peer, generation);
        if (!File.Exists(path)) return null;

        var reader = new IceDescriptionReader();
        foreach (var line in File.ReadLines(path).Where(line => line.StartsWith("a=", StringComparison.Ordinal)))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            reader.TryAdd(colon < 0 ? line[2..] : line[2..colon], colon < 0 ? null : line[(colon + 1)..]);
        }

        return reader.TryRead(out var description) ? description : throw new InvalidDataException($"{path} holds no description.");
    }

    private string PathOf(string side, int generation) => Path.Combine(folder, $"{side}.{generation}.sdp");

    private static string NameOf(IceRole role) => role is IceRole.Controlling ? "controlling" : "controlled";
}
