namespace SipNat.Endpoint.Media;

/// <summary>Blocks of captured audio on their way to whoever writes them.</summary>
internal sealed class CaptureQueue
{
    /// <summary>Blocks of all calls of a plane that wait: a second of fifty of them.</summary>
    public const int Capacity = 2500;

    private readonly Queue<CapturedAudio> _blocks = new();

    public bool IsFull => _blocks.Count >= Capacity;

    public void Add(CapturedAudio block) => _blocks.Enqueue(block);

    public bool TryTake(out CapturedAudio block) => _blocks.TryDequeue(out block);
}
