using System.Globalization;
using System.Text;

namespace SipNat.Lab.Tests.Calls;

/// <summary>
/// A scenario for SIPp, written down step by step: what it sends and what it has to receive. Where the first step is a
/// received INVITE, SIPp is called; where it is a sent one, it calls.
/// </summary>
internal sealed class SippScenario
{
    private const string Description =
        """
        v=0
        o=sipp 53655765 {version} IN IP4 [local_ip]
        s=-
        c=IN IP4 [media_ip]
        t=0 0
        m=audio [media_port] RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a={direction}
        """;

    private readonly StringBuilder _steps = new();
    private readonly SortedSet<string> _variables = new(StringComparer.Ordinal);
    private bool _isCalled;
    private int _sequence;
    private int _version;

    /// <summary>Receives the INVITE and keeps of it what later answers and requests need.</summary>
    public SippScenario ReceiveInvite()
    {
        _isCalled = true;
        return Append(
            $"""
            <recv request="INVITE"><action>
            {Keep("Via:", ".*", "via")}{Keep("From:", ".*", "far")}{Keep("To:", ".*", "near")}{Keep("CSeq:", ".*", "cseq")}
            {Keep("Contact:", "sip:[^&gt;]*", "target")}{Keep("Call-ID:", ".*", "call")}
            </action></recv>
            """);
    }

    /// <summary>Answers the INVITE.</summary>
    /// <param name="direction">With a description of this direction; null for none.</param>
    /// <param name="header">Beside the usual ones; empty for none.</param>
    /// <param name="isRepeated">Whether it is repeated until the ACK has come.</param>
    /// <param name="hasContact">Whether it tells SIPp's own Contact.</param>
    public SippScenario Answer(int status, string? direction = null, string header = "", bool isRepeated = true, bool hasContact = true) => Append(
        $"""
        <send{(status >= 200 && isRepeated ? " retrans=\"500\"" : "")}><![CDATA[
        SIP/2.0 {status.ToString(CultureInfo.InvariantCulture)} Answer
        Via:[$via]
        From:[$far]
        To:[$near]{(status > 100 ? ";tag=[pid]sipp[call_number]" : "")}
        Call-ID:[$call]
        CSeq:[$cseq]
        {(hasContact ? Contact : "")}{Line(header)}{Body(direction)}
        ]]></send>
        """);

    /// <summary>Answers the INVITE once more as before, as if the ACK had been lost.</summary>
    public SippScenario RepeatAnswer(int status)
    {
        _version--;
        return Answer(status, "sendrecv", isRepeated: false);
    }

    /// <summary>Receives a request of the dialog and answers it with 200.</summary>
    public SippScenario ReceiveAndAgree(string method, string? direction = null) => Receive(method).Append(
        $"""
        <send><![CDATA[
        SIP/2.0 200 OK
        [last_Via:]
        [last_From:]
        [last_To:]
        [last_Call-ID:]
        [last_CSeq:]
        {Contact}{Body(direction)}
        ]]></send>
        """);

    public SippScenario Receive(string method) => Append($"<recv request=\"{method}\"/>");

    /// <summary>Calls.</summary>
    public SippScenario SendInvite(string? direction = "sendrecv", string header = "") => Append(
        $"""
        <send retrans="500"><![CDATA[
        INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
        Max-Forwards: 70
        From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]
        To: <sip:[service]@[remote_ip]:[remote_port]>
        Call-ID: [call_id]
        CSeq: {++_sequence} INVITE
        {Contact}{Line(header)}{Body(direction)}
        ]]></send>
        """);

    /// <summary>Receives the final answer to our INVITE that begins the dialog, with what may come before it.</summary>
    public SippScenario ReceiveAnswer(params int[] before) => ReceiveAny(before).Append(
        $"""
        <recv response="200"><action>
        {Keep("To:", ".*", "near")}{Keep("Contact:", "sip:[^&gt;]*", "target")}
        </action></recv>
        """);

    /// <summary>Receives a response that takes no part in what follows, for the last request.</summary>
    public SippScenario ReceiveResponse(int status, params int[] before) => ReceiveAny(before).Append($"<recv response=\"{status}\"/>");

    /// <summary>Acknowledges the last INVITE of ours.</summary>
    public SippScenario Acknowledge(string? direction = null) => Append($"<send><![CDATA[\n{Request("ACK", _sequence)}{Body(direction)}\n]]></send>");

    /// <summary>Sends a request of the dialog.</summary>
    public SippScenario Send(string method, string? direction = null, string header = "") => Append(
        $"""
        <send retrans="500"><![CDATA[
        {Request(method, ++_sequence)}{Line(header)}{Body(direction)}
        ]]></send>
        """);

    public SippScenario Pause(int milliseconds) => Append($"<pause milliseconds=\"{milliseconds}\"/>");

    public override string ToString()
    {
        var used = _variables.Count == 0 ? "" : $"<Reference variables=\"{string.Join(',', _variables)}\"/>\n";
        return $"<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"calls\">\n{_steps}{used}</scenario>\n";
    }

    private const string Contact = "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n";

    private SippScenario ReceiveAny(int[] statuses)
    {
        foreach (var status in statuses) Append($"<recv response=\"{status}\" optional=\"true\"/>");
        return this;
    }

    private string Request(string method, int sequence) =>
        $"""
        {method} [$target] SIP/2.0
        Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
        Max-Forwards: 70
        {(_isCalled ? "From:[$near];tag=[pid]sipp[call_number]\nTo:[$far]\nCall-ID:[$call]" : "From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]sipp[call_number]\nTo:[$near]\nCall-ID: [call_id]")}
        CSeq: {sequence} {method}
        {Contact}
        """.TrimEnd('\n') + "\n";

    private static string Line(string header) => header.Length == 0 ? "" : header + "\n";

    private string Body(string? direction) => direction is null
        ? "Content-Length: 0\n"
        : "Content-Type: application/sdp\nContent-Length: [len]\n\n"
          + Description.Replace("{version}", $"{++_version}", StringComparison.Ordinal).Replace("{direction}", direction, StringComparison.Ordinal);

    private string Keep(string header, string pattern, string variable)
    {
        _variables.Add(variable);
        return $"<ereg regexp=\"{pattern}\" search_in=\"hdr\" header=\"{header}\" check_it=\"true\" assign_to=\"{variable}\"/>";
    }

    private SippScenario Append(string step)
    {
        _steps.Append(step).Append('\n');
        return this;
    }
}
