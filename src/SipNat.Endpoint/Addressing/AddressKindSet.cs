namespace SipNat.Endpoint.Addressing;

/// <summary>Kinds of addresses, as of those that were found not to work.</summary>
public readonly record struct AddressKindSet
{
    private readonly int _bits;

    private AddressKindSet(int bits) => _bits = bits;

    public bool IsEmpty => _bits == 0;

    public bool Contains(AddressKind kind) => (_bits & (1 << (int)kind)) != 0;

    public AddressKindSet With(AddressKind kind) => new(_bits | (1 << (int)kind));
}
