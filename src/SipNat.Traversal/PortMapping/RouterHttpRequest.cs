namespace SipNat.Traversal.PortMapping;

/// <summary>
/// What UPnP wants asked by HTTP: the shell runs it, follows no redirect and no proxy, takes at most
/// <see cref="MaxAnswer"/> bytes, and answers by <see cref="PortMapper.HandleHttp"/>, also where there was no answer.
/// </summary>
/// <param name="Id">Names the request in its answer.</param>
/// <param name="Address">On the router, by number.</param>
/// <param name="SoapAction">The SOAPACTION header of a POST; null for a GET without a body.</param>
/// <param name="Body">XML in UTF-8.</param>
public sealed record RouterHttpRequest(int Id, Uri Address, string? SoapAction, ReadOnlyMemory<byte> Body)
{
    /// <summary>Bytes of a body; more than that is no answer.</summary>
    public const int MaxAnswer = UpnpXml.MaxLength;
}
