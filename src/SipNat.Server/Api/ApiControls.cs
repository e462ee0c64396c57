using SipNat.Endpoint.Accounts;

namespace SipNat.Server.Api;

/// <summary>What the API can do with the server that runs, and see of it.</summary>
/// <param name="SetPaused">Pauses (true) or resumes a recording by its id; false where no such recording runs.</param>
/// <param name="Accounts">How each account stands.</param>
public sealed record ApiControls(Func<string, bool, bool> SetPaused, Func<IReadOnlyList<AccountSnapshot>> Accounts);
