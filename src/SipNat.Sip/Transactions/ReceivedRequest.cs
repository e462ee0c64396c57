using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>A request with all that its answers need.</summary>
/// <param name="Message">The request as it came.</param>
/// <param name="Flow">Where it came from, and where its answers go.</param>
/// <param name="IsReliable">Whether that flow loses nothing.</param>
/// <param name="Route">Destination and Via of its answers.</param>
/// <param name="Tag">The To tag of answers that bring none.</param>
internal sealed record ReceivedRequest(StoredSipMessage Message, FlowId Flow, bool IsReliable, ResponseRoute Route, string Tag)
{
    public byte[] Answer(SipResponse response, TransactionOutput output)
    {
        response.Write(output.Writer, Message.View, Route.Stamp, Tag, output.Product);
        return output.Writer.Written.ToArray();
    }
}
