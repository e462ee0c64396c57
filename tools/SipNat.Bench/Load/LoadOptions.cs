using System.Net;

namespace SipNat.Bench.Load;

/// <summary>What a load run does.</summary>
public sealed record LoadOptions
{
    /// <summary>The recorder's SIP address over UDP; null where the run starts a recorder of its own.</summary>
    public IPEndPoint? Server { get; init; }

    /// <summary>The recorder's API.</summary>
    public Uri Api { get; init; } = new("http://127.0.0.1:8080");

    /// <summary>
    /// The recorder's <c>Recording:Directory</c>; null where the files of a running one are out of reach and not looked at, and
    /// where one that is started gets a folder of its own, which is deleted afterwards.
    /// </summary>
    public string? Recordings { get; init; }

    /// <summary>The recorder's process on this machine, whose CPU time and memory are read; null to leave that out.</summary>
    public int? ProcessId { get; init; }

    /// <summary>The <c>sipnat.dll</c> of the recorder that the run starts; null for the one that is built here.</summary>
    public string? Program { get; init; }

    /// <summary>Settings of the recorder that the run starts, each <c>KEY=VALUE</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Whether the recordings of the recorder that the run starts are kept afterwards.</summary>
    public bool Keep { get; init; }

    public int Sessions { get; init; } = 100;

    /// <summary>Length of each session's audio.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Sessions set up a second.</summary>
    public double Rate { get; init; } = 50;

    /// <summary>Whether the sessions offer that RTCP shares the port of RTP.</summary>
    public bool RtcpMux { get; init; }

    /// <summary>Sessions of a second that are run before anything is measured: what the runtime compiles for the first ones is no cost of a set-up.</summary>
    public int Primers { get; init; }

    /// <summary>The core that a recorder which the run starts is held to; null for all of them.</summary>
    public int? Core { get; init; }

    /// <summary>How long every session is up before CPU time is counted: what the runtime compiles in the beginning is no cost of a packet.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>Null, or how long after every session is up the recorder is killed and started again.</summary>
    public TimeSpan? KillAfter { get; init; }

    /// <summary>Whether the BYEs of all sessions are sent at one time, once every stream has been sent; else each follows its own streams.</summary>
    public bool Storm { get; init; }

    /// <summary>Sessions with ICE beside the others, whose media sockets get a hundred connectivity checks a second, while every session is up; 0 for none.</summary>
    public int Checks { get; init; }

    public FloodOptions Flood { get; init; } = new();
}

/// <summary>What else is thrown at the recorder while the sessions run.</summary>
public sealed record FloodOptions
{
    /// <summary>INVITEs a second, each of a new call with a body that could be recorded, never acknowledged.</summary>
    public int InvitesPerSecond { get; init; }

    /// <summary>OPTIONS a second outside any dialog.</summary>
    public int OptionsPerSecond { get; init; }

    /// <summary>RTP packets a second, sprayed over the whole range of media ports.</summary>
    public int PacketsPerSecond { get; init; }

    /// <summary>The local address that all of it comes from.</summary>
    public IPAddress From { get; init; } = IPAddress.Parse("127.0.0.2");

    /// <summary>The recorder's range of media ports.</summary>
    public int FirstPort { get; init; } = 10_000;

    public int LastPort { get; init; } = 19_999;

    /// <summary>How long it lasts, from the moment that every session is up.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    public bool IsAny => InvitesPerSecond > 0 || OptionsPerSecond > 0 || PacketsPerSecond > 0;
}
