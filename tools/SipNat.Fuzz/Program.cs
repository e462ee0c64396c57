using SipNat.Fuzz.Commands;

return RunCommand.Create().Parse(args).Invoke();
