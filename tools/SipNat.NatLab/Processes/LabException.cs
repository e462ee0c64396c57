namespace SipNat.NatLab.Processes;

/// <summary>A command of the laboratory failed; the message holds the command and what it said.</summary>
public sealed class LabException(string message) : Exception(message);
