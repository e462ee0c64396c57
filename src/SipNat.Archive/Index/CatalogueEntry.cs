namespace SipNat.Archive.Index;

/// <summary>One row of the catalogue.</summary>
/// <param name="Folder">Relative to the recordings' directory.</param>
/// <param name="Json">The recording's summary as JSON.</param>
public sealed record CatalogueEntry(string Id, string Folder, string Json);
