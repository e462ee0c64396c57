using System.Globalization;

namespace SipNat.Server.Webhooks;

/// <summary>
/// The deliveries of one receiver that are still to be made, oldest first, each a file: they outlive the program. What
/// the disk does not take is kept in memory. Bounded; the oldest goes first. Thread safe.
/// </summary>
internal sealed class WebhookQueue
{
    /// <summary>Deliveries that wait; a receiver that is away for longer misses the oldest.</summary>
    public const int MaxWaiting = 10_000;

    private const string Extension = ".json";
    private const int MaxBody = 4 * 1024 * 1024;

    private readonly string _folder;
    private readonly int _capacity;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, WebhookEvent?> _waiting = new(StringComparer.Ordinal);
    private long _last;

    /// <param name="folder">Where the files are; what is in it from before is taken over.</param>
    public WebhookQueue(string folder, int capacity = MaxWaiting)
    {
        (_folder, _capacity) = (folder, capacity);
        foreach (var name in NamesIn(folder)) _waiting.Add(name, null);
    }

    /// <summary>Deliveries that were given up for want of room.</summary>
    public long Dropped { get; private set; }

    public int Count
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Puts an event at the end, on the disk where that takes it.</summary>
    public void Add(WebhookEvent item, DateTimeOffset at)
    {
        var name = NameOf(item, at);
        var isSaved = TrySave(name, item);
        lock (_gate)
        {
            _waiting.Add(name, isSaved ? null : item);
            while (_waiting.Count > _capacity)
            {
                Forget(_waiting.First().Key);
                Dropped++;
            }
        }
    }

    /// <summary>The oldest delivery with the name by which it is removed; null when none waits.</summary>
    public (string Name, WebhookEvent Event, DateTimeOffset At)? Peek()
    {
        while (true)
        {
            string name;
            WebhookEvent? item;
            lock (_gate)
            {
                if (_waiting.Count == 0) return null;

                (name, item) = _waiting.First();
            }

            // A file that somebody has taken away or damaged is no delivery any more.
            item ??= TryLoad(name);
            if (item is not null) return (name, item, TimeOf(name));

            Remove(name);
        }
    }

    public void Remove(string name)
    {
        lock (_gate) Forget(name);
    }

    private void Forget(string name)
    {
        if (!_waiting.Remove(name, out var item) || item is not null) return;

        try
        {
            File.Delete(Path.Combine(_folder, name));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is out of the queue; after the next start it is delivered once more, and its id tells that.
            return;
        }
    }

    // Names sort by time, and those of one millisecond by their number.
    private string NameOf(WebhookEvent item, DateTimeOffset at)
    {
        var number = Interlocked.Increment(ref _last) % 1_000_000;
        return string.Create(CultureInfo.InvariantCulture, $"{at.ToUnixTimeMilliseconds():D13}.{number:D6}.{item.Kind}.{item.Id}{Extension}");
    }

    private static DateTimeOffset TimeOf(string name) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(name.AsSpan(0, 13), CultureInfo.InvariantCulture));

    private bool TrySave(string name, WebhookEvent item)
    {
        try
        {
            Directory.CreateDirectory(_folder);
            var path = Path.Combine(_folder, name);
            File.WriteAllBytes(path + ".tmp", item.Body);
            File.Move(path + ".tmp", path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private WebhookEvent? TryLoad(string name)
    {
        try
        {
            var path = Path.Combine(_folder, name);
            var parts = name.Split('.');
            return new FileInfo(path).Length <= MaxBody ? new WebhookEvent(parts[2], parts[3], File.ReadAllBytes(path)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<string> NamesIn(string folder)
    {
        if (!Directory.Exists(folder)) return [];

        return Directory.EnumerateFiles(folder, "*" + Extension).Select(path => Path.GetFileName(path)).Where(IsName);
    }

    private static bool IsName(string name) =>
        name.Split('.') is [{ Length: 13 } time, { Length: 6 }, _, _, _] && time.All(char.IsAsciiDigit);
}
