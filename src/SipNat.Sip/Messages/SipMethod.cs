namespace SipNat.Sip.Messages;

/// <summary>Request methods. Names are case-sensitive on the wire (RFC 3261 §7.1).</summary>
public enum SipMethod
{
    /// <summary>Any other token; see <see cref="SipMessage.MethodText"/>.</summary>
    Unknown,

    // RFC 3261
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Register,

    // RFC 3311, 3262, 6086, 3515, 6665, 3428, 3903
    Update,
    Prack,
    Info,
    Refer,
    Notify,
    Subscribe,
    Message,
    Publish,
}

public static class SipMethods
{
    private static readonly string[] Names =
    [
        "UNKNOWN", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO", "REFER",
        "NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH",
    ];

    extension(SipMethod method)
    {
        /// <summary>The method as the wire spells it.</summary>
        public string Name => Names[(int)method];

        /// <summary>Its 2xx or 18x response makes a dialog, so that it carries Record-Route back (RFC 3261 §12.1.1, RFC 6665 §4.2).</summary>
        public bool FormsDialog => method is SipMethod.Invite or SipMethod.Subscribe or SipMethod.Refer or SipMethod.Notify;

        /// <summary>Its Contact replaces the dialog's remote target (RFC 3261 §12.2, RFC 3311 §5.1).</summary>
        public bool RefreshesTarget => method is SipMethod.Invite or SipMethod.Update;
    }

    /// <summary>The method that a token names; <see cref="SipMethod.Unknown"/> for any other.</summary>
    public static SipMethod Find(ReadOnlySpan<byte> token) => token switch
    {
        [(byte)'I', (byte)'N', (byte)'V', ..] when token.SequenceEqual("INVITE"u8) => SipMethod.Invite,
        [(byte)'A', ..] when token.SequenceEqual("ACK"u8) => SipMethod.Ack,
        [(byte)'B', ..] when token.SequenceEqual("BYE"u8) => SipMethod.Bye,
        [(byte)'C', ..] when token.SequenceEqual("CANCEL"u8) => SipMethod.Cancel,
        [(byte)'O', ..] when token.SequenceEqual("OPTIONS"u8) => SipMethod.Options,
        [(byte)'R', (byte)'E', (byte)'G', ..] when token.SequenceEqual("REGISTER"u8) => SipMethod.Register,
        [(byte)'U', ..] when token.SequenceEqual("UPDATE"u8) => SipMethod.Update,
        [(byte)'P', (byte)'R', ..] when token.SequenceEqual("PRACK"u8) => SipMethod.Prack,
        [(byte)'I', (byte)'N', (byte)'F', ..] when token.SequenceEqual("INFO"u8) => SipMethod.Info,
        [(byte)'R', (byte)'E', (byte)'F', ..] when token.SequenceEqual("REFER"u8) => SipMethod.Refer,
        [(byte)'N', ..] when token.SequenceEqual("NOTIFY"u8) => SipMethod.Notify,
        [(byte)'S', ..] when token.SequenceEqual("SUBSCRIBE"u8) => SipMethod.Subscribe,
        [(byte)'M', ..] when token.SequenceEqual("MESSAGE"u8) => SipMethod.Message,
        [(byte)'P', (byte)'U', ..] when token.SequenceEqual("PUBLISH"u8) => SipMethod.Publish,
        _ => SipMethod.Unknown,
    };
}
