using SipNat.Archive.Audio;

namespace SipNat.Server.Tests.Archive;

/// <summary>
/// A disk in memory that remembers which bytes were written and which were forced, and that refuses, hangs or loses
/// its files when a test says so. Safe for the writer's two threads.
/// </summary>
internal sealed class TestDisk : IAudioDisk
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);
    private string? _refusal;

    /// <summary>What every operation fails with; null while the disk takes everything.</summary>
    public string? Refusal
    {
        get => Volatile.Read(ref _refusal);
        set => Volatile.Write(ref _refusal, value);
    }

    /// <summary>Bytes that fit; a write beyond fails as on a full disk, and what fits of it is written.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>What forcing fails with.</summary>
    public string? ForceRefusal { get; set; }

    /// <summary>Runs before each write, on the thread that writes.</summary>
    public Action? BeforeWrite { get; set; }

    /// <summary>Runs with the length of each write, before it.</summary>
    public Action<int>? OnWrite { get; set; }

    /// <summary>Runs whenever something is refused.</summary>
    public Action? OnRefusal { get; set; }

    /// <summary>Whether bytes are kept; without them only lengths are.</summary>
    public bool KeepsBytes { get; init; } = true;

    public int Forces { get; private set; }

    public int Opened { get; private set; }

    public int Open { get; private set; }

    public byte[] this[string path]
    {
        get
        {
            lock (_gate) return _files[path].Bytes.AsSpan(0, (int)_files[path].Length).ToArray();
        }
    }

    /// <summary>The first bytes of a file, which are kept in any case.</summary>
    public byte[] HeaderOf(string path)
    {
        lock (_gate) return _files[path].Bytes;
    }

    public long LengthOf(string path)
    {
        lock (_gate) return _files.TryGetValue(path, out var content) ? content.Length : 0;
    }

    /// <summary>Bytes of a file that a power cut leaves: those before the first that was not forced.</summary>
    public long ForcedLengthOf(string path)
    {
        lock (_gate) return _files.TryGetValue(path, out var content) ? content.Forced : 0;
    }

    public void Add(string path, byte[] bytes)
    {
        lock (_gate) _files[path] = new Content { Bytes = bytes, Length = bytes.Length };
    }

    /// <summary>Takes a file away under whoever has it open.</summary>
    public void Lose(string path)
    {
        lock (_gate) _files.Remove(path);
    }

    public bool Exists(string path)
    {
        lock (_gate) return _files.ContainsKey(path);
    }

    public IAudioDiskFile Create(string path)
    {
        lock (_gate)
        {
            Check();
            if (_files.ContainsKey(path)) throw new IOException($"The file '{path}' already exists.");
        }

        return Reopen(path);
    }

    public IAudioDiskFile Reopen(string path)
    {
        lock (_gate)
        {
            Check();
            if (!_files.TryGetValue(path, out var content)) _files.Add(path, content = new Content());
            Opened++;
            Open++;
            return new OpenFile(this, content);
        }
    }

    public IReadOnlyList<(IAudioDiskFile File, string Reason)> Force(IReadOnlyList<IAudioDiskFile> files)
    {
        lock (_gate)
        {
            Forces++;
            if ((ForceRefusal ?? Refusal) is { } reason) return [.. files.Select(file => (file, reason))];

            foreach (var file in files.Cast<OpenFile>()) file.Content.Forced = file.Content.Length;
            return [];
        }
    }

    private void Check()
    {
        if (Refusal is not { } refusal) return;

        OnRefusal?.Invoke();
        throw new IOException(refusal);
    }

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public long Length { get; set; }

        public long Forced { get; set; }

        public void Write(ReadOnlySpan<byte> bytes, long offset, bool keeps)
        {
            // Bytes that are written again as they are, and a header, leave what was forced as it was.
            var known = (int)Math.Clamp(Forced - offset, 0, bytes.Length);
            if (keeps && offset > 0 && known > 0 && !bytes[..known].SequenceEqual(Bytes.AsSpan((int)offset, known))) Forced = offset;
            Length = Math.Max(Length, offset + bytes.Length);
            if (!keeps && offset > 0) return;

            var needed = (int)(offset + bytes.Length);
            if (Bytes.Length < needed)
            {
                var grown = Bytes;
                Array.Resize(ref grown, Math.Max(needed, Bytes.Length * 2));
                Bytes = grown;
            }

            bytes.CopyTo(Bytes.AsSpan((int)offset));
        }
    }

    private sealed class OpenFile(TestDisk disk, Content content) : IAudioDiskFile
    {
        public Content Content => content;

        public long Length
        {
            get
            {
                lock (disk._gate) return content.Length;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            disk.BeforeWrite?.Invoke();
            disk.OnWrite?.Invoke(bytes.Length);
            lock (disk._gate)
            {
                disk.Check();
                // What is left out before the bytes takes no room.
                var room = Math.Max(disk.Capacity - disk._files.Values.Sum(file => file.Length), 0);
                var grows = Math.Clamp(offset + bytes.Length - content.Length, 0, bytes.Length);
                var fits = bytes.Length - (int)Math.Max(grows - room, 0);
                if (fits > 0) content.Write(bytes[..fits], offset, disk.KeepsBytes);
                if (fits < bytes.Length) throw new IOException("No space left on device.");
            }
        }

        public void Dispose()
        {
            lock (disk._gate) disk.Open--;
        }
    }
}
