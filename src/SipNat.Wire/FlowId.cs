namespace SipNat.Wire;

/// <summary>One socket or connection that the shell owns, with its transport. Never reused.</summary>
public readonly record struct FlowId(int Value)
{
    public override string ToString() => $"flow {Value}";
}
