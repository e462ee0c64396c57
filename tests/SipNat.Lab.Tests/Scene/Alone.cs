namespace SipNat.Lab.Tests.Scene;

/// <summary>
/// The tests that bear no company on a small machine: lifetimes of mappings and repairs of a few seconds, loads that take a whole
/// core, and what is lost when a server under load is killed. They run when all others have ended, one after the other.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
