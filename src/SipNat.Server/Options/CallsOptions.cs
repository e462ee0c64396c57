namespace SipNat.Server.Options;

/// <summary>The <c>Calls</c> section.</summary>
public sealed record CallsOptions
{
    public const int DefaultMaxIncoming = 10;

    /// <summary>Hosts that a call may be sent on to by REFER and redirects, beside the account's own domain.</summary>
    public IReadOnlyList<string> AllowedTargets { get; init; } = [];

    /// <summary>Calls that one account takes at one time; one more is busy.</summary>
    public int MaxIncoming { get; init; } = DefaultMaxIncoming;

    /// <summary>Whether the other side may pause the recording of a call.</summary>
    public RecordingPreference RecordingPreference { get; init; }

    internal static CallsOptions Read(SettingReader settings) => new()
    {
        MaxIncoming = settings.Integer("Calls:MaxIncoming", DefaultMaxIncoming, 1, 1_000),
        RecordingPreference = settings.Choice("Calls:RecordingPreference", RecordingPreference.Ignored),
        AllowedTargets = settings.List("Calls:AllowedTargets", SettingText.TargetHost) ?? [],
    };
}

/// <summary>What becomes of a call to an account of a running server.</summary>
public enum IncomingCalls
{
    /// <summary>480: nobody is there.</summary>
    Reject,

    /// <summary>It is answered, and hears itself.</summary>
    Echo,

    /// <summary>It is answered, and hears a file.</summary>
    Play,

    /// <summary>It is answered and recorded; it may hear a file.</summary>
    Record,
}

/// <summary>What is made of the other side's wish not to be recorded (<c>a=recordpref</c>, RFC 7866 §5.3).</summary>
public enum RecordingPreference
{
    /// <summary>It is noted.</summary>
    Ignored,

    /// <summary>Recording pauses while it is wished.</summary>
    Obeyed,
}

/// <summary>How digits are sent in the calls of an account.</summary>
public enum DtmfMethod
{
    /// <summary>As events where they were agreed on, else in band.</summary>
    Auto,

    /// <summary>As events (RFC 4733).</summary>
    Rfc4733,

    /// <summary>As tones in the audio.</summary>
    InBand,

    /// <summary>By INFO.</summary>
    Info,
}
