namespace SipNat.Server.MediaEngine;

/// <summary>How the sockets of media are looked after.</summary>
public enum MediaEngineKind
{
    /// <summary>The fastest that the system has: on 64-bit Linux many datagrams with one call, elsewhere <see cref="Portable"/>.</summary>
    Auto,

    /// <summary>Each socket is asked every few milliseconds, by what every system has.</summary>
    Portable,
}
