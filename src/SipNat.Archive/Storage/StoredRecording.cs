using SipNat.Archive.Documents;

namespace SipNat.Archive.Storage;

/// <summary>What a folder holds: a document, or what is wrong with it.</summary>
/// <param name="Folder">Relative to the recordings' directory.</param>
public sealed record StoredRecording(string Folder, RecordingDocument? Document, RecordingProblem? Problem);

/// <summary>Something of a recording that is not as it should be.</summary>
/// <param name="Id">The recording, by the name of its folder.</param>
/// <param name="Folder">Relative to the recordings' directory; empty where there is none.</param>
/// <param name="Text">One sentence for people.</param>
public sealed record RecordingProblem(string Id, string Folder, RecordingProblemKind Kind, string Text);

public enum RecordingProblemKind
{
    /// <summary>A folder without session.json.</summary>
    DocumentMissing,

    /// <summary>session.json is torn, too long, of a later version or of another recording.</summary>
    DocumentUnreadable,

    /// <summary>The document names a file that is not there.</summary>
    FileMissing,

    /// <summary>An audio file's header cannot be read, or a path leads elsewhere.</summary>
    FileUnreadable,

    /// <summary>An audio file's header states another length than the file has, or another codec than the document.</summary>
    HeaderDiffers,

    /// <summary>An audio file plays longer or shorter than the document says.</summary>
    DurationDiffers,

    /// <summary>A file of the folder that the document does not name.</summary>
    FileUnknown,

    /// <summary>The catalogue does not list the recording.</summary>
    NotInCatalogue,

    /// <summary>The catalogue says something else than the document.</summary>
    CatalogueDiffers,

    /// <summary>The catalogue lists a recording that has no folder.</summary>
    FolderMissing,

    /// <summary>What the document assures is not what the files have.</summary>
    AssuranceDiffers,

    /// <summary>The document says that the recording runs, and nothing records it.</summary>
    NotRecovered,
}
