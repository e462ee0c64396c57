using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>Addresses as tables write them.</summary>
internal static class Addresses
{
    public static TransportAddress[] Of(params ReadOnlySpan<string> texts)
    {
        var addresses = new TransportAddress[texts.Length];
        for (var i = 0; i < texts.Length; i++) addresses[i] = TransportAddress.Parse(texts[i]);
        return addresses;
    }
}
