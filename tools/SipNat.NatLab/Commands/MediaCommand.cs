using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.NatLab.Matrix;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.NatLab.Commands;

/// <summary><c>media</c>: one side of each cell of the matrix; <c>matrix</c> starts it on both hosts.</summary>
internal static class MediaCommand
{
    private static readonly Option<IceRole> Role = new("--role") { Description = "controlling or controlled", Required = true };
    private static readonly Option<string> Local = new("--local") { Description = "the address to bind", Required = true };
    private static readonly Option<string> Peer = new("--peer") { Description = "the public address of the other side", Required = true };
    private static readonly Option<DirectoryInfo> Folder = new("--folder") { Description = "where descriptions pass", Required = true };
    private static readonly Option<string[]> Stun = new("--stun") { Description = "ADDRESS:PORT; repeatable" };
    private static readonly Option<string[]> Turn = new("--turn") { Description = "ADDRESS:PORT by UDP and by TCP; repeatable" };
    private static readonly Option<string> User = new("--user") { Description = "NAME:PASSWORD for the TURN servers", DefaultValueFactory = _ => "lab:lab" };

    public static Command Create()
    {
        var command = new Command("media", "One side of the matrix: a media session that sends a tone and records. Prints one line of JSON for each mode.")
        {
            Role, Local, Peer, Folder, Stun, Turn, User,
        };
        command.Hidden = true;
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var user = parsed.GetRequiredValue(User).Split(':', 2);
        List<TransportAddress> turn = [.. (parsed.GetValue(Turn) ?? []).Select(server => TransportAddress.Parse(server))];
        foreach (var mode in MatrixModes.All)
        {
            await using var side = new MediaSide(new()
            {
                Mode = mode,
                Role = parsed.GetValue(Role),
                Local = TransportAddress.Parse(parsed.GetRequiredValue(Local)),
                PeerSource = TransportAddress.Parse(parsed.GetRequiredValue(Peer)).WithPort(5060),
                Folder = parsed.GetRequiredValue(Folder).FullName,
                StunServers = [.. (parsed.GetValue(Stun) ?? []).Select(server => TransportAddress.Parse(server))],
                TurnServers =
                [
                    .. from server in turn
                       from transport in (TransportProtocol[])[TransportProtocol.Udp, TransportProtocol.Tcp]
                       select new TurnServerOptions { Server = server, Transport = transport, Credentials = new(user[0], user[^1]) },
                ],
            });
            var result = await side.RunAsync(stop);
            Console.Out.WriteLine(JsonSerializer.Serialize(new MediaLine(mode, result), MediaJson.Default.MediaLine));
        }

        return 0;
    }
}

/// <summary>What a side prints for each mode.</summary>
internal sealed record MediaLine(MatrixMode Mode, MediaSideResult Result);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MediaLine))]
internal sealed partial class MediaJson : JsonSerializerContext;
