using System.Net;
using System.Text;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Siprec;

/// <summary>Answers what the recorder asks in the dialog: BYE, OPTIONS, UPDATE, re-INVITE, INFO, NOTIFY.</summary>
public sealed class RecorderRequests(ClientDialog dialog, string contact, SessionLog log, Func<string> currentSdp, Action<SessionAnswer> answered)
{
    private const string Allow = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY";

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the recorder's BYE has been answered.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The bytes of the response, or null where none is due.</summary>
    public byte[]? Answer(SipText request, IPEndPoint from)
    {
        if (request.Method == "ACK")
        {
            TakeAnswer(request);
            log.Request(request, from, 0);
            return null;
        }

        var (status, reason) = Judge(request);
        log.Request(request, from, status);
        var response = Respond(request, status, reason);
        if (status == 200 && request.Method == "BYE") _ended.TrySetResult();
        return response;
    }

    private (int Status, string Reason) Judge(SipText request) => request.Method switch
    {
        "OPTIONS" when SipText.Parameter(request.First("To"), "tag") is null => (200, "OK"),
        _ when !dialog.Owns(request) => (481, "Call/Transaction Does Not Exist"),
        "BYE" or "OPTIONS" or "UPDATE" or "INVITE" or "INFO" or "NOTIFY" => (200, "OK"),
        _ => (405, "Method Not Allowed"),
    };

    private byte[] Respond(SipText request, int status, string reason)
    {
        if (status != 200) return dialog.Respond(request, status, reason, [Allow], SipBody.None);

        List<string> headers = [Allow, "Supported: timer", "Accept: application/sdp", $"Contact: {contact}"];
        if (request.First("Session-Expires") is { Length: > 0 } expires && request.Method is "INVITE" or "UPDATE")
        {
            headers.Add("Require: timer");
            headers.Add($"Session-Expires: {expires.Split(';')[0]};refresher=uac");
        }

        var offered = IsSdp(request);
        if (offered) TakeAnswer(request);
        var withSdp = request.Method == "INVITE" || (request.Method == "UPDATE" && offered);
        return dialog.Respond(request, status, reason, headers, withSdp ? SipBody.Sdp(currentSdp()) : SipBody.None);
    }

    // An offer of the recorder names its addresses like an answer does; so does the ACK of a delayed offer.
    private void TakeAnswer(SipText request)
    {
        if (IsSdp(request)) answered(SessionAnswer.Read(Encoding.UTF8.GetString(request.Body)));
    }

    private static bool IsSdp(SipText request) =>
        request.Body.Length > 0 && request.First("Content-Type").StartsWith("application/sdp", StringComparison.OrdinalIgnoreCase);
}
