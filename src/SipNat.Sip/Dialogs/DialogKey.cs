using SipNat.Sip.Messages;

namespace SipNat.Sip.Dialogs;

/// <summary>What identifies a dialog at one of its ends (RFC 3261 §12). A tag of a peer of RFC 2543 is empty.</summary>
public readonly record struct DialogKey(string CallId, string LocalTag, string RemoteTag)
{
    /// <summary>The dialog that a request of the peer belongs to.</summary>
    public static DialogKey ForRequest(StoredSipMessage request) => new(request.CallId, request.ToTag, request.FromTag);

    /// <summary>The dialog that a response to a request of ours belongs to.</summary>
    public static DialogKey ForResponse(StoredSipMessage response) => new(response.CallId, response.FromTag, response.ToTag);
}
