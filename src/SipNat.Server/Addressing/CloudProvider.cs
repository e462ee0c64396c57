using SipNat.Server.Options;

namespace SipNat.Server.Addressing;

/// <summary>In whose cloud a machine runs, by what its firmware says; nobody is asked for it.</summary>
internal static class CloudProvider
{
    private const string Firmware = "/sys/class/dmi/id";

    // What Azure writes into the asset tag of every machine; "Microsoft Corporation" alone is any Hyper-V.
    private const string AzureAssetTag = "7783-7084-3265-9085-8269-3286-77";

    /// <summary>The provider; <see cref="CloudMetadata.Off"/> where it is none that is known.</summary>
    public static CloudMetadata Detect() => Detect(static name => ReadFirmware(name));

    /// <param name="firmware">Gives a file of Linux's <c>/sys/class/dmi/id</c> by its name; empty where there is none.</param>
    internal static CloudMetadata Detect(Func<string, string> firmware) => firmware("sys_vendor") switch
    {
        "Amazon EC2" => CloudMetadata.Aws,
        "Google" => CloudMetadata.Gcp,
        "Microsoft Corporation" when firmware("chassis_asset_tag") == AzureAssetTag => CloudMetadata.Azure,
        // Instances on Xen.
        "Xen" when firmware("bios_version").EndsWith(".amazon", StringComparison.Ordinal) => CloudMetadata.Aws,
        _ => CloudMetadata.Off,
    };

    private static string ReadFirmware(string name)
    {
        try
        {
            var path = Path.Combine(Firmware, name);
            return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
