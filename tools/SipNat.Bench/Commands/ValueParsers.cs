using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;

namespace SipNat.Bench.Commands;

/// <summary>Readers of option values; an error names the value and what would be right.</summary>
internal static class ValueParsers
{
    public static IPEndPoint? EndPoint(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (IPEndPoint.TryParse(text, out var endPoint) && endPoint.Port == 0) endPoint.Port = 5060;
        if (endPoint is not null) return endPoint;

        result.AddError($"--server '{text}' is not an address; wanted IP:PORT, for instance 127.0.0.1:5060.");
        return null;
    }

    public static IPAddress? Address(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (IPAddress.TryParse(text, out var address)) return address;

        result.AddError($"'{text}' is not an IP address.");
        return null;
    }

    public static Uri Http(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp) return uri;

        result.AddError($"'{text}' is not the address of an API; wanted http://ADDRESS:PORT.");
        return new("http://127.0.0.1");
    }

    public static TimeSpan? Seconds(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 86_400) return TimeSpan.FromSeconds(seconds);

        result.AddError($"'{text}' is not a number of seconds between 0 and 86400.");
        return null;
    }

    /// <summary>Seconds, or <c>none</c>, which reads as zero.</summary>
    public static TimeSpan? SecondsOrNone(ArgumentResult result) =>
        result.Tokens[0].Value is "none" ? TimeSpan.Zero : Seconds(result);
}
