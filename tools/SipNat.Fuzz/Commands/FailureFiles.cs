using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary>Writes the input of each failure to a file and says on the console what failed.</summary>
internal sealed class FailureFiles(string folder)
{
    private readonly Lock _gate = new();

    public int Written { get; private set; }

    public void Write(FuzzFailure failure)
    {
        lock (_gate)
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, failure.FileName);
            File.WriteAllBytes(path, failure.Input);
            Written++;
            Console.Out.WriteLine($"{failure.Target}: {failure.Text}\n  replay {failure.Target} {path}\n");
        }
    }
}
