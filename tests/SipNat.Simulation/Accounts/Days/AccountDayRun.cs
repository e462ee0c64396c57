using SipNat.Endpoint.Accounts;
using SipNat.Wire;

namespace SipNat.Simulation.Accounts.Days;

/// <summary>Runs a day: makes the network and its faults, calls every account every few seconds, and counts what arrives.</summary>
public sealed class AccountDayRun
{
    private const string Domain = "example.com";
    private const int MaxMisses = 20;

    private static readonly TimeSpan CallInterval = TimeSpan.FromSeconds(10);

    // RFC 3261 timer E: half a second, then twice as long each time.
    private static readonly TimeSpan[] Repeats = [TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(3.5), TimeSpan.FromSeconds(7.5)];
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan DnsLimit = TimeSpan.FromSeconds(16);
    private static readonly DateTimeOffset Morning = new(2026, 3, 1, 6, 0, 0, TimeSpan.Zero);

    private readonly AccountDay _day;
    private readonly AccountDayOracle _oracle;
    private readonly SimulatedNetwork _network;
    private readonly SimulatedNat _nat;
    private readonly SimulatedPhone _phone;
    private readonly SimulatedRegistrar[] _registrars;
    private readonly List<AccountFault> _active = [];
    private readonly List<string> _misses = [];
    private readonly HashSet<string> _isMissed = [];
    private readonly int[] _registers;
    private int _expected;
    private int _missed;
    private int _fetches;
    private int _calls;
    private int _addresses = 1;

    private AccountDayRun(AccountDay day)
    {
        (_day, _oracle) = (day, new(day));
        _registers = new int[(int)Math.Ceiling(day.Length.TotalHours)];
        _network = new(day.Seed) { Loss = day.Loss, Jitter = day.Loss > 0 ? TimeSpan.FromMilliseconds(30) : TimeSpan.Zero };
        _registrars = [AddRegistrar(0), AddRegistrar(1)];
        _nat = _network.AddNat("203.0.113.1", day.Nat);
        _phone = SimulatedPhone.AddTo(_network, "192.168.1.10", _nat, day.Seed);
        (_phone.DnsLimit, _phone.DnsLifetime) = (DnsLimit, AccountDayOracle.DnsLifetime);
        Settle();
    }

    public static AccountDayResult Run(AccountDay day) => new AccountDayRun(day).Run();

    private static string AddressOf(int registrar) => $"198.51.100.{10 + registrar}:5060";

    private AccountDayResult Run()
    {
        for (var i = 0; i < _day.Accounts; i++) _phone.Add(SimulatedPhone.Options($"line{i}") with { Flows = _day.Flows });
        foreach (var fault in _day.Faults) _network.After(fault.At, () => Begin(fault));
        var random = new Random(_day.Seed);
        while (_network.Now < new Instant(0) + _day.Length - CallPatience)
        {
            for (var i = 0; i < _day.Accounts; i++) Call($"line{i}");
            _network.RunFor(CallInterval * (0.9 + (0.2 * random.NextDouble())));
        }

        return End();
    }

    private AccountDayResult End()
    {
        foreach (var fault in _active.ToList()) End(fault);
        _network.RunFor(TimeSpan.FromMinutes(1));
        _phone.Host.Run(now => _phone.Core.UnregisterAll(now));
        _network.RunFor(TimeSpan.FromMinutes(1));
        return new()
        {
            Day = _day,
            Expected = _expected,
            Missed = _missed,
            Misses = _misses,
            Registers = _registers,
            Fetches = _fetches,
            Packets = _phone.Host.PacketsSent,
            TransactionsLeft = _phone.Core.Transactions,
            IsRented = _phone.Core.Outbox.Rented != 0,
        };
    }

    private SimulatedRegistrar AddRegistrar(int index)
    {
        var registrar = SimulatedRegistrar.AddTo(_network, AddressOf(index), Domain, "secret");
        (registrar.FixesNat, registrar.Lease, registrar.NonceLifetime, registrar.KeepsMessages) = (_day.FixesNat, _day.Lease, _day.NonceLifetime, false);
        (registrar.IsOutbound, registrar.Keep) = (_day.IsOutbound, _day.Keep);
        registrar.MoreHeaders = FormattableString.Invariant($"Service-Route: <sip:edge{index}.{Domain};lr>\r\n{(_day.Keep is { } timer ? $"Flow-Timer: {timer}\r\n" : "")}");
        registrar.Heard = (now, hasContact) =>
        {
            if (!hasContact) _fetches++;
            else if (now < new Instant(0) + _day.Length) _registers[(int)((now - new Instant(0)) / TimeSpan.FromHours(1))]++;
        };
        return registrar;
    }

    private void Call(string user)
    {
        var call = $"{++_calls}";
        var at = _network.Now - new Instant(0);
        if (!_oracle.HasToArrive(at) || !_oracle.HasToArrive(at + CallPatience)) return;

        Send(call, user);
        foreach (var repeat in Repeats) _network.After(repeat, () => Send(call, user));
        _network.After(CallPatience, () => Judge(at, call, user));
    }

    private void Send(string call, string user)
    {
        foreach (var registrar in _registrars.Where(registrar => !registrar.IsSilent && !registrar.IsAnswered(call))) registrar.Host.Run(now => registrar.Call(now, call, user));
    }

    private void Judge(TimeSpan at, string call, string user)
    {
        _expected++;
        var account = _phone.Core.Accounts.Single(account => account.Name == user);
        var arrived = Array.Exists(_registrars, registrar => registrar.IsAnswered(call));
        if (arrived && account.State is AccountState.Registered)
        {
            if (_isMissed.Remove(user)) Note($"{at:hh\\:mm\\:ss} {user} is back");
            return;
        }

        _missed++;
        if (_isMissed.Add(user)) Note($"{at:hh\\:mm\\:ss} {user} {(arrived ? "arrived" : "missed")}, {account.State} since {account.At}: {account.Text}");
    }

    private void Note(FormattableString text)
    {
        if (_misses.Count < MaxMisses) _misses.Add(FormattableString.Invariant(text));
    }

    private void Begin(AccountFault fault)
    {
        _active.Add(fault);
        if (fault.Kind is AccountFaultKind.RouterReboot) _nat.Reboot(fault.Lasts);
        if (fault.Kind is AccountFaultKind.Renumbered) _nat.Renumber($"203.0.113.{++_addresses}");
        Settle();
        _network.After(fault.Lasts, () => End(fault));
    }

    private void End(AccountFault fault)
    {
        if (!_active.Remove(fault)) return;
        if (fault.Kind is AccountFaultKind.RegistrarRestart or AccountFaultKind.RegistrarDead) _registrars[fault.Registrar].Restart();
        var slept = _phone.Host.IsSuspended;
        Settle();
        if (slept && !_phone.Host.IsSuspended) _phone.Host.Run(now => _phone.Core.HandleWallTime(now, Morning + (_network.Now - new Instant(0))));
        if (fault is { Kind: AccountFaultKind.Outage, IsNoticed: true }) _phone.Host.Run(now => _phone.Core.HandleNetworkChange(now, [NetworkPrefix.Parse("192.168.0.0/16")], []));
    }

    // Faults overlap: what holds follows from those that are.
    private void Settle()
    {
        _phone.Host.IsConnected = !Has(AccountFaultKind.Outage);
        if (Has(AccountFaultKind.Suspend)) _phone.Host.Suspend();
        else _phone.Host.Resume();
        for (var i = 0; i < _registrars.Length; i++)
        {
            var (registrar, index) = (_registrars[i], i);
            registrar.IsSilent = _active.Exists(fault => fault.Registrar == index && fault.Kind is AccountFaultKind.RegistrarRestart or AccountFaultKind.RegistrarDead);
            var busy = _active.FindLast(fault => fault.Registrar == index && fault.Kind is AccountFaultKind.RegistrarBusy);
            registrar.Override = request => busy is not null && request.Method == "REGISTER" ? FormattableString.Invariant($"503 Busy\r\nRetry-After: {(int)busy.RetryAfter.TotalSeconds}\r\n") : null;
        }

        _phone.IsDnsSilent = Has(AccountFaultKind.DnsSilent);
        int[] order = Has(AccountFaultKind.DnsTurned) ? [1, 0] : [0, 1];
        if (_active.FindLast(static fault => fault.Kind is AccountFaultKind.DnsNamesOne) is { } one) order = [one.Registrar];
        _phone.Names[Domain] = Has(AccountFaultKind.DnsEmpty) ? [] : [.. order.Select(index => new SipTarget(_day.Transport, TransportAddress.Parse(AddressOf(index)), null))];
    }

    private bool Has(AccountFaultKind kind) => _active.Exists(fault => fault.Kind == kind);
}
