using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>One thing that happened in a recording session, for its <c>timeline</c> in JSON.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">A word in kebab case: <c>answered</c>, <c>held</c>, <c>dtmf</c>.</param>
/// <param name="Text">The facts, for people; may hold text from the wire.</param>
public sealed record TimelineEntry(Instant At, string Kind, string Text);
