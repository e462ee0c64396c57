using System.Globalization;
using System.Text;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>
/// Answers that need no transaction (RFC 3261 §8.2.7): the same request always gets the same answer, so the client's
/// own retransmissions make up for a lost one. Each source gets so many a second and no more.
/// </summary>
internal sealed class StatelessAnswers(TransactionOutput output, TransactionOptions options, uint salt)
{
    private const int LongestTagSource = 256;

    private readonly SourceLimiter _known = new(options.AnswersPerSecond);
    private readonly SourceLimiter _strangers = new(options.StrangerAnswersPerSecond);
    private readonly SipResponse _overload = new(503)
    {
        Headers = [new(SipHeader.RetryAfter, Math.Ceiling(options.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture))],
    };
    private IReadOnlyList<NetworkPrefix>? _knownNetworks = options.KnownNetworks;

    public void SetKnownNetworks(IReadOnlyList<NetworkPrefix> known) => _knownNetworks = known;

    /// <summary>To be asked once for each message that is to be answered without state; it takes from its source's budget.</summary>
    public bool MayAnswer(Instant now, TransportAddress source)
    {
        if (_knownNetworks is not { } known || (IsIn(known, source) ? _known : _strangers).TryTake(now, source)) return true;

        output.Counters.Withheld++;
        return false;
    }

    public void Refuse(FlowId flow, SipMessage request, ResponseRoute route, SipDefect defect)
    {
        var response = new SipResponse(defect.Status(), defect.Explain());
        Refuse(flow, request, route, response);
    }

    /// <returns>What it was refused with.</returns>
    public SipResponse RefuseOverload(FlowId flow, SipMessage request, ResponseRoute route)
    {
        output.Counters.Overload++;
        Refuse(flow, request, route, _overload);
        return _overload;
    }

    public void Refuse(FlowId flow, SipMessage request, ResponseRoute route, SipResponse response)
    {
        output.Counters.Rejected++;
        Answer(flow, request, route, response);
    }

    public void Answer(FlowId flow, SipMessage request, ResponseRoute route, SipResponse response)
    {
        response.Write(output.Writer, request, route.Stamp, TagFor(request), output.Product);
        output.Send(flow, route.Destination, output.Writer.Written);
    }

    /// <summary>Whether an ACK is for an answer of these; nothing waits for it.</summary>
    public bool IsOurs(SipMessage ack) => Ascii.Equals(ack.ToTag, TagFor(ack));

    private static bool IsIn(IReadOnlyList<NetworkPrefix> networks, TransportAddress source)
    {
        foreach (var network in networks)
        {
            if (network.Contains(source)) return true;
        }

        return false;
    }

    // Of what an INVITE shares with its retransmissions and its ACK.
    private string TagFor(SipMessage request)
    {
        Span<byte> source = stackalloc byte[LongestTagSource];
        BitConverter.TryWriteBytes(source, salt);
        BitConverter.TryWriteBytes(source[4..], request.CSeqNumber);
        var length = 8 + Copy(request.CallId, source[8..(LongestTagSource / 2)]);
        length += Copy(request.FromTag, source[length..]);
        return Crc32.Compute(source[..length]).ToString("x8", CultureInfo.InvariantCulture);
    }

    private static int Copy(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var length = Math.Min(source.Length, destination.Length);
        source[..length].CopyTo(destination);
        return length;
    }
}
