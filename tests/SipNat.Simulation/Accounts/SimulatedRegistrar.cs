using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation.Accounts;

/// <summary>
/// A registrar with one password (RFC 3261 §10.3, RFC 2617), by plain text of its own. It believes a Contact as it is
/// written, and can call it.
/// </summary>
public sealed class SimulatedRegistrar : IProtocolCore
{
    private readonly string _realm;
    private readonly string _password;
    private readonly SortedDictionary<string, RegisteredContact> _bindings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Instant> _nonces = [];
    private readonly List<ScriptedSipMessage> _requests = [];
    private readonly List<ScriptedSipMessage> _responses = [];
    private readonly HashSet<string> _answered = [];
    private readonly SortedSet<int> _connections = [];
    private Instant _now;
    private string _tag = "r";
    private int _sequence;

    /// <param name="realm">The domain that it is the registrar of.</param>
    /// <param name="password">That of every user.</param>
    public SimulatedRegistrar(string realm, string password) => (_realm, _password) = (realm, password);

    public SimulatedHost Host { get; private set; } = null!;

    /// <summary>Whether it keeps silent, as one that is down.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The longest lease that it grants.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromHours(1);

    /// <summary>A shorter wish is answered with 423; null for none.</summary>
    public TimeSpan? MinExpires { get; set; }

    /// <summary>How long a nonce is good; an older one is stale.</summary>
    public TimeSpan NonceLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Answers in place of the registrar, with more headers where it has them; null leaves it to the registrar.</summary>
    public Func<ScriptedSipMessage, string?> Override { get; set; } = static _ => null;

    /// <summary>Lines that a 200 to REGISTER has beside its bindings.</summary>
    public string MoreHeaders { get; set; } = "";

    /// <summary>What it writes of the Via in its answers in place of <c>received</c> and <c>rport</c> as they are; null for these.</summary>
    public Func<string, string>? EditVia { get; set; }

    /// <summary>Whether it calls a binding where its REGISTER came from, and not where its Contact says; over a connection always.</summary>
    public bool FixesNat { get; set; }

    /// <summary>Whether it tells bindings apart by instance and reg-id, and says so (RFC 5626 §6).</summary>
    public bool IsOutbound { get; set; }

    /// <summary>The parameters of RFC 5627 that it gives to each binding; empty for none.</summary>
    public string Gruu { get; set; } = "";

    /// <summary>The interval of keepalives that it wishes (RFC 6223), in seconds; null where it takes none.</summary>
    public int? Keep { get; set; }

    /// <summary>Whether <see cref="Requests"/> and <see cref="Responses"/> grow; a day of them is much.</summary>
    public bool KeepsMessages { get; set; } = true;

    /// <summary>Hears of each REGISTER: the moment, and whether it has a Contact.</summary>
    public Action<Instant, bool>? Heard { get; set; }

    /// <summary>Every request, with the moment.</summary>
    public IReadOnlyList<ScriptedSipMessage> Requests => _requests;

    /// <summary>When each REGISTER with a Contact came.</summary>
    public List<Instant> RegisteredAt { get; } = [];

    /// <summary>Answers to requests of its own.</summary>
    public IReadOnlyList<ScriptedSipMessage> Responses => _responses;

    /// <summary>Double line ends that arrived.</summary>
    public int Keepalives { get; private set; }

    /// <summary>STUN Binding requests that arrived, with the moment of each.</summary>
    public List<Instant> StunRequests { get; } = [];

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    /// <summary>Bindings that have not run out.</summary>
    public IReadOnlyList<string> Bindings => [.. _bindings.Values.Where(b => b.Until > _now).Select(b => b.Uri)];

    public static SimulatedRegistrar AddTo(SimulatedNetwork network, string address, string realm, string password)
    {
        var registrar = new SimulatedRegistrar(realm, password);
        registrar.Host = network.AddHost(address, registrar);
        // Answers of two of them are not of one dialog.
        registrar._tag = $"r{registrar.Host.Address.AddressText}";
        registrar.Host.Listen(TransportAddress.Parse(address).Port);
        return registrar;
    }

    /// <summary>Restarts: bindings and nonces are forgotten, connections end.</summary>
    public void Restart()
    {
        foreach (var connection in _connections.ToList()) Host.Close(new(connection));
        _bindings.Clear();
        _nonces.Clear();
    }

    /// <summary>Sends an OPTIONS to each binding, to the address that its Contact names: whoever calls does the same.</summary>
    /// <returns>How many were sent.</returns>
    public int Call(Instant now) => Call(now, $"{++_sequence}", user: null);

    /// <summary>The same for the bindings of one user, or of all; the same call again is a retransmission.</summary>
    /// <returns>How many were sent.</returns>
    public int Call(Instant now, string call, string? user)
    {
        _now = now;
        List<RegisteredContact> called = [.. _bindings.Values.Where(b => b.Until > now && (user is null || b.Uri.Contains($":{user}@", StringComparison.Ordinal)))];
        foreach (var binding in called)
        {
            var to = FixesNat || binding.IsConnection ? binding.From : TransportAddress.Parse(binding.Uri.Split('@')[^1].Split(';')[0]);
            var transport = binding.IsConnection ? "TCP" : "UDP";
            var text = $"OPTIONS {binding.Uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {_realm};rport;branch=z9hG4bKcall{call}\r\nMax-Forwards: 70\r\n" +
                $"From: <sip:caller@{_realm}>;tag=c{call}\r\nTo: <{binding.Uri}>\r\nCall-ID: call{call}@{_realm}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
            Outbox.Add(binding.Flow, to, Encoding.UTF8.GetBytes(text));
        }

        return called.Count;
    }

    /// <summary>Whether anybody has answered a call with 200.</summary>
    public bool IsAnswered(string call) => _answered.Contains(call);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (!change.Transport.IsReliable) return;
        if (change.Kind is FlowChangeKind.Opened) _connections.Add(flow.Value);
        else _connections.Remove(flow.Value);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        _now = now;
        if (datagram.SequenceEqual("\r\n\r\n"u8)) Keepalives++;
        if (datagram is [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, ..]) StunRequests.Add(now);
        if (IsSilent || ScriptedSipMessage.Read(datagram) is not { } message) return;

        if (message.IsResponse)
        {
            if (KeepsMessages) _responses.Add(message);
            if (message.Status == 200) _answered.Add((message.Header("Call-ID") ?? "").Split('@')[0]["call".Length..]);
            return;
        }

        if (KeepsMessages) _requests.Add(message);
        if (message.Method == "REGISTER") Count(now, message);
        var answer = Override(message) ?? (message.Method == "REGISTER" ? Register(message, flow, from) : "200 OK\r\n");
        Outbox.Add(flow, from, Encoding.UTF8.GetBytes(Complete(message, answer, from)));
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void Count(Instant now, ScriptedSipMessage request)
    {
        var hasContact = request.Header("Contact") is not null;
        if (hasContact) RegisteredAt.Add(now);
        Heard?.Invoke(now, hasContact);
    }

    private string Register(ScriptedSipMessage request, FlowId flow, TransportAddress from)
    {
        if (request.Header("Authorization") is not { } shown) return Challenge(isStale: false);
        if (!_nonces.TryGetValue(Quoted(shown, "nonce"), out var issued)) return Challenge(isStale: false);
        if (_now - issued > NonceLifetime) return Challenge(isStale: IsRight(shown));
        if (!IsRight(shown)) return Challenge(isStale: false);

        foreach (var ended in _bindings.Values.Where(b => b.Until <= _now).ToList()) _bindings.Remove(ended.Key);
        foreach (var contact in request.Headers("Contact"))
        {
            var wish = ScriptedSipMessage.Parameter(contact, "expires") ?? request.Header("Expires") ?? "3600";
            var lease = TimeSpan.FromSeconds(int.Parse(wish, CultureInfo.InvariantCulture));
            if (lease > TimeSpan.Zero && lease < MinExpires) return $"423 Interval Too Brief\r\nMin-Expires: {(int)MinExpires.Value.TotalSeconds}\r\n";

            var uri = contact.Split('<')[1].Split('>')[0];
            var (instance, regId) = (InstanceOf(contact), ScriptedSipMessage.Parameter(contact, "reg-id"));
            var key = IsOutbound && instance is not null && regId is not null ? $"{request.Header("To")} {instance} {regId}" : uri;
            if (lease == TimeSpan.Zero) _bindings.Remove(key);
            else _bindings[key] = new(uri, _now + (lease < Lease ? lease : Lease), request.Header("To")!)
            {
                Key = key,
                Parameters = IsOutbound ? $";+sip.instance={instance};reg-id={regId}" : "",
                Flow = flow,
                From = from,
                IsConnection = request.Header("Via")!.StartsWith("SIP/2.0/TCP", StringComparison.Ordinal),
            };
        }

        var answer = new StringBuilder("200 OK\r\n");
        foreach (var binding in _bindings.Values.Where(b => b.Until > _now && b.AddressOfRecord == request.Header("To")))
        {
            answer.Append(CultureInfo.InvariantCulture, $"Contact: <{binding.Uri}>;expires={(int)(binding.Until - _now).TotalSeconds}{binding.Parameters}{Gruu}\r\n");
        }

        if (IsOutbound) answer.Append("Require: outbound\r\n");

        return answer.Append(MoreHeaders).ToString();
    }

    // With its quotes.
    private static string? InstanceOf(string contact) =>
        contact.Split("+sip.instance=") is [_, var rest] && rest.Split('"') is [_, var instance, ..] ? $"\"{instance}\"" : null;

    private string Challenge(bool isStale)
    {
        var nonce = $"n{_nonces.Count}";
        _nonces.Add(nonce, _now);
        return $"401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"{_realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{(isStale ? ", stale=true" : "")}\r\n";
    }

    // RFC 2617 §3.2.2, computed here anew.
    private bool IsRight(string shown)
    {
        var (a1, a2) = (Md5($"{Quoted(shown, "username")}:{_realm}:{_password}"), Md5($"REGISTER:{Quoted(shown, "uri")}"));
        return Quoted(shown, "response") == Md5($"{a1}:{Quoted(shown, "nonce")}:{Bare(shown, "nc")}:{Quoted(shown, "cnonce")}:auth:{a2}");
    }

    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Quoted(string header, string name) => Bare(header, name).Trim('"');

    private static string Bare(string header, string name)
    {
        foreach (var part in header["Digest ".Length..].Split(','))
        {
            var pair = part.Trim().Split('=', 2);
            if (pair[0] == name && pair.Length == 2) return pair[1];
        }

        return "";
    }

    private string Complete(ScriptedSipMessage request, string answer, TransportAddress from)
    {
        var text = new StringBuilder("SIP/2.0 ").Append(answer);
        foreach (var via in request.Headers("Via"))
        {
            text.Append("Via: ").Append(EditVia is { } edit ? edit(via) : (Keep is { } keep ? via.Replace(";keep", $";keep={keep}", StringComparison.Ordinal) : via).Replace(";rport", $";rport={from.Port};received={from.AddressText}", StringComparison.Ordinal)).Append("\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"From: {request.Header("From")}\r\nTo: {request.Header("To")};tag={_tag}\r\nCall-ID: {request.Header("Call-ID")}\r\n");
        return text.Append(CultureInfo.InvariantCulture, $"CSeq: {request.CSeq}\r\nContent-Length: 0\r\n\r\n").ToString();
    }

    private sealed record RegisteredContact(string Uri, Instant Until, string AddressOfRecord)
    {
        public required string Key { get; init; }

        public required string Parameters { get; init; }

        public FlowId Flow { get; init; }

        public TransportAddress From { get; init; }

        public bool IsConnection { get; init; }
    }
}
