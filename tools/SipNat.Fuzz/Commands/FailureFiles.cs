using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary>Writes the input of each failure to a file and says on the console what failed.</summary>
internal sealed class FailureFiles(string folder)
{
    private const int MaxText = 2_000;

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
            var text = failure.Text.Length <= MaxText ? failure.Text : failure.Text[..MaxText] + " …";
            Console.Out.WriteLine($"{failure.Target}: {text}\n  replay {failure.Target} {path}\n");
        }
    }
}
