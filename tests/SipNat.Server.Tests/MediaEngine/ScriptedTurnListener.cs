using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

/// <summary>A TCP listener on loopback, with TLS where it has a certificate: the test is the server.</summary>
internal sealed class ScriptedTurnListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly X509Certificate2? _certificate;

    public ScriptedTurnListener(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = TransportAddress.From((IPEndPoint)_listener.LocalEndPoint!);
    }

    public TransportAddress Address { get; }

    /// <summary>The next connection; null where TLS came to nothing.</summary>
    public async Task<Stream?> AcceptAsync(CancellationToken cancel)
    {
        var stream = new NetworkStream(await _listener.AcceptAsync(cancel), ownsSocket: true);
        if (_certificate is null) return stream;

        var secured = new SslStream(stream);
        try
        {
            await secured.AuthenticateAsServerAsync(_certificate);
            // A client tells of a certificate that it refuses only after the handshake of TLS 1.3.
            return secured;
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            await secured.DisposeAsync();
            return null;
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _certificate?.Dispose();
    }
}
