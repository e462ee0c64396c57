using System.CommandLine;
using System.Net;
using SipNat.NatLab.Ice;
using SipNat.Simulation.Ice.Topologies;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.NatLab.Commands;

/// <summary><c>ice</c>: one ICE agent on a real socket, to be tried against one of another make.</summary>
internal static class IceCommand
{
    private const int WarmingRuns = 20;

    private static readonly Option<string> Role = new("--role") { Description = "controlling or controlled", Required = true };
    private static readonly Option<string> Folder = new("--exchange") { Description = "folder by which both sides exchange descriptions, as ROLE.N.sdp", Required = true };
    private static readonly Option<string> Bind = new("--bind") { Description = "address of the socket", Required = true };
    private static readonly Option<string?> Stun = new("--stun") { Description = "STUN server, address:port" };
    private static readonly Option<string?> Turn = new("--turn") { Description = "TURN server, address:port" };
    private static readonly Option<string> User = new("--user") { Description = "user name for TURN", DefaultValueFactory = _ => "" };
    private static readonly Option<string> Password = new("--password") { Description = "password for TURN", DefaultValueFactory = _ => "" };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "how long media flow", DefaultValueFactory = _ => 2 };
    private static readonly Option<bool> NoMedia = new("--no-media") { Description = "send none" };
    private static readonly Option<double> Consent = new("--consent") { Description = "seconds between consent checks", DefaultValueFactory = _ => 5 };
    private static readonly Option<double> ConsentTimeout = new("--consent-timeout") { Description = "seconds until consent is lost", DefaultValueFactory = _ => 30 };

    private static readonly Option<bool> Cold = new("--cold") { Description = "begin at once, with nothing compiled" };

    public static Command Create()
    {
        var command = new Command("ice", "Runs one ICE agent and prints what happens as lines of JSON.") { Role, Folder, Bind, Stun, Turn, User, Password, Seconds, NoMedia, Consent, ConsentTimeout, Cold };
        command.Validators.Add(static result =>
        {
            if (result.GetValue(Role) is not ("controlling" or "controlled")) result.AddError("--role is controlling or controlled.");
            if (!IPAddress.TryParse(result.GetValue(Bind), out _)) result.AddError("--bind is an IP address.");
            foreach (var option in new[] { Stun, Turn })
            {
                if (result.GetValue(option) is { } text && (!TransportAddress.TryParse(text, out var server) || server.Port == 0)) result.AddError($"{option.Name} is an IP address with a port.");
            }
        });
        command.SetAction((parsed, stop) => Task.FromResult(Run(parsed, stop)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken stop)
    {
        var folder = Directory.CreateDirectory(parsed.GetValue(Folder)!).FullName;
        var options = new IceDriverOptions
        {
            Role = parsed.GetValue(Role) == "controlling" ? IceRole.Controlling : IceRole.Controlled,
            Folder = folder,
            Local = TransportAddress.Parse(parsed.GetValue(Bind)!),
            StunServer = Server(parsed.GetValue(Stun)),
            TurnServer = Server(parsed.GetValue(Turn)),
            Credentials = parsed.GetValue(User)!.Length == 0 ? null : new StunCredentials(parsed.GetValue(User)!, parsed.GetValue(Password)!),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(Seconds)),
            SendsMedia = !parsed.GetValue(NoMedia),
            Agent = new() { ConsentInterval = TimeSpan.FromSeconds(parsed.GetValue(Consent)), ConsentTimeout = TimeSpan.FromSeconds(parsed.GetValue(ConsentTimeout)) },
        };
        if (!parsed.GetValue(Cold)) Warm();
        IceDriverHost.Run(options, Console.Out, stop);
        return 0;
    }

    // Lets the runtime compile what an agent does, as in a server that has run for a while.
    private static void Warm()
    {
        for (var seed = 1; seed <= WarmingRuns; seed++) IceTopologyRun.Run(IceTopologyDraw.Draw(seed));
    }

    private static TransportAddress Server(string? text) => text is null ? default : TransportAddress.Parse(text);
}
