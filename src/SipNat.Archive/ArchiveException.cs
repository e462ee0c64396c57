namespace SipNat.Archive;

/// <summary>
/// The archive cannot do what was asked: the message says what failed, with its path or id, and what would be right.
/// It is meant to be shown to the user as it is.
/// </summary>
public sealed class ArchiveException : Exception
{
    public ArchiveException(string message)
        : base(message)
    {
    }

    public ArchiveException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
