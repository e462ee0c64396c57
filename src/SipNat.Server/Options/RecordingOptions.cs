namespace SipNat.Server.Options;

/// <summary>The <c>Recording</c> section.</summary>
public sealed record RecordingOptions
{
    /// <summary>Folder of the audio and metadata files; absolute.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Connection string of the catalogue (SQLite); its file is absolute.</summary>
    public string Database { get; init; } = "";

    /// <summary>How long a stream that should be sending may be silent before the peer is asked; 1 s to 1 day.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often audio is forced to the disk; 100 ms to 1 h.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Memory for audio that waits for the disk, in MiB; 1 to 65,536.</summary>
    public int WriteMemory { get; init; } = 256;

    /// <summary>How long running sessions may go on after the program was asked to end; 0 to 1 day.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromMinutes(10);

    internal static RecordingOptions Read(SettingReader settings) => new()
    {
        Directory = settings.Value("Recording:Directory", settings.Rooted("data/recordings"), settings.Directory),
        Database = settings.Value("Recording:Database", DefaultDatabase(settings), text => CatalogueConnection.Parse(text, settings.Rooted)),
        SilenceTimeout = settings.Duration("Recording:SilenceTimeout", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        SyncInterval = settings.Duration("Recording:SyncInterval", TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
        WriteMemory = settings.Integer("Recording:WriteMemory", 256, 1, 65_536),
        DrainTimeout = settings.Duration("Recording:DrainTimeout", TimeSpan.FromMinutes(10), TimeSpan.Zero, TimeSpan.FromDays(1)),
    };

    private static string DefaultDatabase(SettingReader settings) =>
        CatalogueConnection.Parse("Data Source=data/catalogue.db", settings.Rooted).Value;
}
