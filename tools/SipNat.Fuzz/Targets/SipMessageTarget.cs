using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A SIP message, every value in it, its stored form and the answer to it.</summary>
internal sealed class SipMessageTarget : IFuzzTarget
{
    // What an answer has beside the lines of its request: Server, Content-Length.
    private const int HeadersOfOurs = 2;

    private static readonly TransportAddress Source = TransportAddress.Parse("192.0.2.7:5070");
    private static readonly Contact Own = new() { Uri = SipUri.Parse("sip:bob@192.0.2.1"), Instance = "urn:uuid:00000000-0000-1000-8000-000a95a0e128", RegId = 1 };
    private static readonly SipHeader[] Headers = Enum.GetValues<SipHeader>();

    private readonly SipHeaderIndex _index = new();
    private readonly SipHeaderIndex _again = new();
    private readonly SipWriter _writer = new();

    public string Name => "sip-message";

    public string Promise => "every accessor is total and within the message; the stored form is the same; the answer to a request can be read and answers it";

    public int MaxLength => SipMessage.MaxLength + 4096;

    public IReadOnlyList<byte[]> Tokens => SipSeeds.Tokens;

    public IEnumerable<byte[]> Seeds(Corpus corpus) => SipSeeds.Messages(corpus);

    // Several values become text, and each octet that is no UTF-8 costs the framework some 36 bytes each time.
    public long AllowedBytes(int inputLength) => (64 * 1024) + (128L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!SipMessage.TryRead(input, _index, out var message, out var defect))
        {
            Invariant.Holds(defect is not SipDefect.None, "What cannot be read has a defect.");
            return (int)defect;
        }

        Invariant.Holds(defect == message.Defect, "The message and its reader name the same defect.", $"{defect}, {message.Defect}");
        Invariant.Holds(message.IsRequest || defect is SipDefect.None, "Only a request is read with a defect.", defect.ToString());
        var seen = Walk(input, message);
        if (defect is SipDefect.None) CheckStored(message);
        if (message.IsRequest) CheckAnswer(message);
        return HashCode.Combine(defect, message.Method, message.StatusCode, seen);
    }

    private static int Walk(ReadOnlySpan<byte> whole, SipMessage message)
    {
        Invariant.Inside(whole, message.MethodText, "method");
        Invariant.Inside(whole, message.RequestUri, "Request-URI");
        Invariant.Inside(whole, message.ReasonPhrase, "reason");
        Invariant.Inside(whole, message.CallId, "Call-ID");
        Invariant.Inside(whole, message.FromTag, "From tag");
        Invariant.Inside(whole, message.ToTag, "To tag");
        Invariant.Inside(whole, message.Body, "body");
        _ = message.HasToken(SipHeader.Require, "100rel"u8) | message.TryGetOther("X-Any"u8, out _);

        var lines = 0;
        foreach (var line in message.Lines)
        {
            Invariant.Inside(whole, line.Name, "header name");
            Invariant.Inside(whole, line.Value, line.Header.Name);
            Invariant.Holds(SipHeaders.Find(line.Name) == line.Header, "A line has the header of its name.");
            lines++;
        }

        Invariant.Holds(lines <= SipHeaderIndex.MaxHeaders, "Header lines are capped.");
        var seen = 0;
        foreach (var header in Headers)
        {
            foreach (var value in message.Values(header)) seen |= SipValues.Walk(whole, header, value);
        }

        SipValues.WalkUri(whole, message.RequestUri);
        return seen;
    }

    private void CheckStored(SipMessage message)
    {
        var stored = new StoredSipMessage(message);
        var view = stored.View;
        Invariant.Holds(view.CallId.SequenceEqual(message.CallId) && view.Body.SequenceEqual(message.Body), "The stored form is the message.");
        Invariant.Holds(stored.Body.Span.SequenceEqual(message.Body) && stored.Method == message.Method, "The stored form is the message.");
        foreach (var header in Headers)
        {
            var text = stored.Header(header);
            Invariant.Holds(text is null || !text.AsSpan().ContainsAny('\r', '\n', '\0'), "An unfolded value is one line.", header.Name);
            _ = stored.Headers(header).Count + (stored.Uri(header)?.GetHashCode() ?? 0);
        }

        if (message.IsRequest) CheckDialog(stored);
        else CheckRegistration(stored);
    }

    private static void CheckRegistration(StoredSipMessage response)
    {
        var answer = RegistrationAnswer.Read(response, Own);
        Invariant.Holds(answer.Bindings.Count <= Contact.MaxContacts && answer.ServiceRoute.Count <= RegistrationAnswer.MaxRoutes && answer.Path.Count <= RegistrationAnswer.MaxRoutes, "Bindings and routes are capped.");
        Invariant.Holds(answer.Binding is null ? answer.Lease is null && answer.Stale.Count == 0 : answer.Bindings.Contains(answer.Binding), "Ours is one of the bindings.");
    }

    private void CheckDialog(StoredSipMessage request)
    {
        var dialog = Dialog.AsServer(request, "ours", "<sip:recorder@192.0.2.1>");
        Invariant.Holds(dialog.RouteSet.Count <= Dialog.MaxRoutes, "Routes are capped.");
        dialog.CreateRequest(SipMethod.Bye).Write(_writer, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport", "SipNat");
        _ = dialog.CheckRequest(request);
        _ = dialog.NextHop.TryGetAddress(out _);
        if (_writer.Written.Length > SipMessage.MaxHeaderLength) return;

        Invariant.Holds(
            SipMessage.TryRead(_writer.Written, _again, out var bye, out _) && bye.CallId.SequenceEqual(request.View.CallId) && bye.CSeqNumber == 1,
            "A request in the dialog can be read.",
            Encoding.Latin1.GetString(_writer.Written));
    }

    private void CheckAnswer(SipMessage request)
    {
        new SipResponse(200).Write(_writer, request, new ViaStamp(Source, Source.Port), "ours", "SipNat");
        if (request.Defect is not SipDefect.None || _writer.Written.Length > SipMessage.MaxHeaderLength) return;
        if (Lines(request) > SipHeaderIndex.MaxHeaders - HeadersOfOurs) return;

        var isRead = SipMessage.TryRead(_writer.Written, _again, out var answer, out var defect);
        Invariant.Holds(isRead && defect is SipDefect.None, "The answer to a request can be read.", $"{defect}: {Encoding.Latin1.GetString(_writer.Written)}");
        Invariant.Holds(answer.CallId.SequenceEqual(request.CallId) && answer.CSeqNumber == request.CSeqNumber, "The answer is of the request's call.");
        Invariant.Holds(answer.Method == request.Method, "The answer names the request's method.");
        Invariant.Holds(SipText.Unfold(answer.FromTag) == SipText.Unfold(request.FromTag), "The answer keeps the From tag.");
        Invariant.Holds(Count(answer, SipHeader.Via) == Count(request, SipHeader.Via), "The answer has the Vias of the request.");
        Invariant.Holds(answer.TryGetTopVia(out var via) && request.TryGetTopVia(out var asked) && SipText.Unfold(via.Branch) == SipText.Unfold(asked.Branch), "The answer keeps the branch.");
    }

    private static int Lines(SipMessage message)
    {
        var count = 0;
        foreach (var _ in message.Lines) count++;
        return count;
    }

    private static int Count(SipMessage message, SipHeader header)
    {
        var count = 0;
        foreach (var _ in message.Values(header)) count++;
        return count;
    }
}
