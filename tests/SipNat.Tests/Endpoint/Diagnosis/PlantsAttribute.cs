using SipNat.Endpoint.Diagnosis;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>The test makes the cause of this finding, and holds what is found against the whole text.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class PlantsAttribute(FindingCode code) : Attribute
{
    public FindingCode Code { get; } = code;
}
