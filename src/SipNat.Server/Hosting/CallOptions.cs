using SipNat.Endpoint.Calls;
using SipNat.Server.Options;

namespace SipNat.Server.Hosting;

/// <summary>The configuration as calls take it.</summary>
internal static class CallOptions
{
    /// <summary>What is taken of the calls of an account, or of those without one.</summary>
    public static CallTerms TermsOf(SipNatOptions options, AccountSettings? account, CallRecording recording) => new()
    {
        Formats = CodecNames.FormatsOf(account?.Codecs ?? CodecNames.Default),
        Srtp = EndpointOptions.SrtpOf(account?.Srtp ?? options.Media.Srtp),
        Recording = recording,
        ObeysPreference = options.Calls.RecordingPreference is RecordingPreference.Obeyed,
    };
}
