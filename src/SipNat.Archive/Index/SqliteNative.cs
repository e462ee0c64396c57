using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace SipNat.Archive.Index;

/// <summary>
/// Chooses the native SQLite: the system's where there is one, because the distribution keeps it patched, else the one
/// that the package brings (3.35.5, of 2021).
/// </summary>
internal static class SqliteNative
{
    private const string PackagedName = "e_sqlite3";
    private const string SystemName = "libsqlite3.so.0";

    // A resolver can be set once in a process, and has to be there before the first connection of anyone.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "No later moment is before every use of the provider.")]
    internal static void Initialize()
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        Batteries_V2.Init();
    }

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path) =>
        OperatingSystem.IsLinux() && string.Equals(name, PackagedName, StringComparison.Ordinal) && NativeLibrary.TryLoad(SystemName, out var handle)
            ? handle
            : 0;
}
