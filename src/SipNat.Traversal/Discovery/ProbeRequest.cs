using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>One Binding request of a <see cref="NatBehaviourProbe"/>, and what became of it.</summary>
internal sealed class ProbeRequest(int socket, ProbePurpose purpose, StunTransaction transaction)
{
    /// <summary>Which of the probe's sockets sends it.</summary>
    public int Socket => socket;

    public ProbePurpose Purpose => purpose;

    public StunTransaction Transaction => transaction;

    public TransportAddress Server => transaction.Server;

    /// <summary>Where the response has to come from: CHANGE-REQUEST asks for another address than the server's.</summary>
    public required TransportAddress Origin { get; init; }

    /// <summary>How the server saw the socket; none while it has not said so.</summary>
    public TransportAddress Mapped { get; private set; }

    public bool IsAnswered { get; private set; }

    /// <summary>Whether the server refused, or answered as if CHANGE-REQUEST had not been there: silence would mean nothing.</summary>
    public bool IsUnsupported { get; private set; }

    public bool IsOver => transaction.State is not StunTransactionState.Waiting;

    /// <summary>Whether every repetition went without an answer.</summary>
    public bool IsSilent => transaction.State is StunTransactionState.TimedOut;

    public void HandleAnswer(TransportAddress mapped)
    {
        (IsAnswered, Mapped) = (true, mapped);
        transaction.HandleResponse();
    }

    public void HandleRefusal()
    {
        IsUnsupported = true;
        transaction.HandleResponse();
    }
}

/// <summary>What a request is to show.</summary>
internal enum ProbePurpose
{
    /// <summary>How a server sees a socket that talks to all of them.</summary>
    Map,

    /// <summary>The only server that a socket ever sends to, for filtering.</summary>
    Open,

    /// <summary>Whether an address that the socket has never sent to gets in.</summary>
    OtherAddress,

    /// <summary>Whether another port of the server's address gets in.</summary>
    OtherPort,

    /// <summary>Whether the server answers from its other address at all: the socket has sent there before.</summary>
    ControlAddress,

    /// <summary>The same for the other port.</summary>
    ControlPort,

    /// <summary>Whether a request to our own external address comes in.</summary>
    Hairpin,

    /// <summary>Whether a request that does not fit into one packet gets there.</summary>
    FragmentOut,

    /// <summary>Whether an answer that does not fit into one packet gets here.</summary>
    FragmentIn,
}
