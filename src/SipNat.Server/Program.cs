using SipNat.Server.Commands;

return await SipNatCommandLine.RunAsync(args, Console.Out, Console.Error);
