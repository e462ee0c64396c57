using System.Globalization;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

/// <summary>One client in virtual time, before servers that a test scripts. Times are milliseconds since the start.</summary>
internal sealed class BindingScene
{
    public static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.10:4000");
    public static readonly TransportAddress ServerA = TransportAddress.Parse("198.51.100.1:3478");
    public static readonly TransportAddress ServerB = TransportAddress.Parse("198.51.100.2:3478");

    private static readonly Instant Start = new(987_654_321);
    private readonly PriorityQueue<(TransportAddress From, byte[] Bytes), Instant> _arriving = new();
    private readonly Outbox _outbox = new();
    private Instant _now = Start;

    public BindingScene(StunBindingOptions? options = null, int seed = 1, TransportAddress? local = null)
    {
        Client = new(new(1), local ?? Local, options ?? new() { Servers = [ServerA, ServerB] }, new Random(seed));
        Client.Start(_now);
    }

    public StunBindingClient Client { get; }

    /// <summary>What a server answers to a request that was sent at a time; null is silence.</summary>
    public Func<TransportAddress, double, string?> Mapping { get; set; } = static (_, _) => null;

    /// <summary>Writes a whole answer where <see cref="Mapping"/> is not enough.</summary>
    public Func<TransportAddress, byte[], (TransportAddress From, byte[] Bytes)?>? Answer { get; set; }

    public double Latency { get; set; } = 20;

    /// <summary>Every send as "time server".</summary>
    public List<string> Sent { get; } = [];

    /// <summary>Every event as "time text".</summary>
    public List<string> Events { get; } = [];

    public List<byte[]> Requests { get; } = [];

    public int Rented => _outbox.Rented;

    public Instant Time => _now;

    public double Now => (_now - Start).TotalMilliseconds;

    public void RunUntil(double milliseconds)
    {
        var end = Start + TimeSpan.FromMilliseconds(milliseconds);
        while (Next() is { } next && next <= end)
        {
            _now = next > _now ? next : _now;
            while (_arriving.TryPeek(out _, out var at) && at <= _now)
            {
                var (from, bytes) = _arriving.Dequeue();
                Client.TryHandle(_now, from, bytes);
            }

            Tick();
        }

        _now = end;
    }

    /// <summary>Jumps without running anything, as a suspended machine does.</summary>
    public void Suspend(TimeSpan length)
    {
        _now += length;
        Tick();
    }

    public bool Receive(TransportAddress from, byte[] bytes)
    {
        var taken = Client.TryHandle(_now, from, bytes);
        Tick();
        return taken;
    }

    public static byte[] Success(byte[] request, TransportAddress mapped)
    {
        var writer = new StunWriter(new byte[64], StunClass.Success, StunMethod.Binding, StunTransactionId.Read(request.AsSpan(8)));
        writer.AddAddress(StunAttributeType.XorMappedAddress, mapped);
        return writer.Written.ToArray();
    }

    public static byte[] Error(byte[] request, int code)
    {
        var writer = new StunWriter(new byte[64], StunClass.Error, StunMethod.Binding, StunTransactionId.Read(request.AsSpan(8)));
        writer.AddErrorCode(code, "No");
        return writer.Written.ToArray();
    }

    private Instant? Next() =>
        Instant.Earlier(Client.Deadline, _arriving.TryPeek(out _, out var at) ? at : null);

    private void Tick()
    {
        Client.HandleTimeout(_now, _outbox);
        Assert.True(Client.Deadline is not { } due || due > _now);
        while (_outbox.TryTake(out var transmit))
        {
            Assert.Equal(new(1), transmit.Flow);
            var request = transmit.Payload.ToArray();
            Sent.Add(Text(transmit.Destination.ToString()));
            Requests.Add(request);
            Reply(transmit.Destination, request);
            _outbox.Release(transmit);
        }

        while (Client.TryTake(out var happened)) Events.Add(Text(happened.Explain()));
    }

    private void Reply(TransportAddress server, byte[] request)
    {
        var arrival = _now + TimeSpan.FromMilliseconds(Latency);
        if (Answer?.Invoke(server, request) is { } answer) _arriving.Enqueue(answer, arrival);
        else if (Mapping(server, Now) is { } mapped)
        {
            _arriving.Enqueue((server, Success(request, TransportAddress.Parse(mapped))), arrival);
        }
    }

    private string Text(string what) => string.Create(CultureInfo.InvariantCulture, $"{Now:0} {what}");
}
