using System.Text;
using SipNat.Traversal.Stun;

namespace SipNat.Traversal.Ice;

/// <summary>The credentials of both sides between two restarts, as checks use them (RFC 8445 §7.1, §7.2.2).</summary>
internal sealed class IceGeneration(IceCredentials local)
{
    private readonly byte[] _localFragment = Encoding.ASCII.GetBytes(local.UserFragment);
    private byte[] _remoteFragment = [];

    public IceCredentials Local { get; } = local;

    public IceCredentials? Remote { get; private set; }

    /// <summary>Signs what comes: checks of the peer, and our answers to them.</summary>
    public byte[] LocalKey { get; } = StunIntegrity.ShortTermKey(local.Password);

    /// <summary>Signs what goes: our checks, and the peer's answers to them.</summary>
    public byte[] RemoteKey { get; private set; } = [];

    /// <summary>USERNAME of our checks: the peer's fragment, a colon, ours.</summary>
    public byte[] Username { get; private set; } = [];

    public void SetRemote(IceCredentials remote)
    {
        Remote = remote;
        RemoteKey = StunIntegrity.ShortTermKey(remote.Password);
        _remoteFragment = Encoding.ASCII.GetBytes(remote.UserFragment);
        Username = [.. _remoteFragment, (byte)':', .. _localFragment];
    }

    /// <summary>Whether a check with this USERNAME is for us.</summary>
    public bool IsFor(ReadOnlySpan<byte> username) =>
        username.Length > _localFragment.Length
        && username[_localFragment.Length] == ':'
        && username.StartsWith(_localFragment);

    /// <summary>Whether it is also from the peer of this generation; its checks may come before its description.</summary>
    public bool IsFromPeer(ReadOnlySpan<byte> username) =>
        Remote is null || username[(_localFragment.Length + 1)..].SequenceEqual(_remoteFragment);
}
