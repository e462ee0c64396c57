namespace SipNat.Server.Hosting;

/// <summary>Something that the program needs cannot be had: a port, an address, a peer. Ends with exit code 3.</summary>
public sealed class UnavailableException : Exception
{
    public UnavailableException()
    {
    }

    /// <param name="message">Names what is needed, why it cannot be had and what would help.</param>
    public UnavailableException(string message)
        : base(message)
    {
    }

    public UnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
