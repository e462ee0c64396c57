using System.Text;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Siprec;

/// <summary>The multipart/mixed body of the first INVITE: SDP and metadata (RFC 7866 §9.1).</summary>
public static class MultipartBody
{
    public static SipBody Build(string sdp, string metadata)
    {
        var boundary = "sipnat-" + ClientDialog.Token(8);
        var text =
            $"--{boundary}\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n" +
            $"--{boundary}\r\nContent-Type: {MetadataText.MediaType}\r\nContent-Disposition: recording-session\r\n\r\n{metadata}\r\n" +
            $"--{boundary}--\r\n";
        return new($"multipart/mixed;boundary={boundary}", Encoding.UTF8.GetBytes(text));
    }
}
