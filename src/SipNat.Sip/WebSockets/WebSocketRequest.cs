using System.Buffers;
using System.Buffers.Text;
using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.WebSockets;

/// <summary>The request that opens a WebSocket for SIP, viewed in place (RFC 6455 §4.2.1, RFC 7118 §4).</summary>
public readonly ref struct WebSocketRequest
{
    /// <summary>Bytes of the longest request that is taken, with the empty line at its end.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>Header lines that are taken.</summary>
    public const int MaxHeaders = 64;

    private const int NonceLength = 16;

    /// <summary>The path and query that are asked for.</summary>
    public ReadOnlySpan<byte> Target { get; private init; }

    /// <summary>The host that the client takes us for, with its port where it has one.</summary>
    public ReadOnlySpan<byte> Host { get; private init; }

    /// <summary>The page that has the client do this; empty where it is no browser.</summary>
    public ReadOnlySpan<byte> Origin { get; private init; }

    /// <summary>What the answer has to show that it has read.</summary>
    public ReadOnlySpan<byte> Key { get; private init; }

    /// <summary>Reads a request.</summary>
    /// <param name="head">All of it, with the empty line at its end.</param>
    public static bool TryRead(ReadOnlySpan<byte> head, out WebSocketRequest request, out WebSocketDefect defect)
    {
        request = default;
        if (head.Length > MaxLength || !head.EndsWith("\r\n\r\n"u8))
        {
            defect = WebSocketDefect.BadRequest;
            return false;
        }

        var end = head.IndexOf("\r\n"u8);
        defect = ReadRequestLine(head[..end], out var target);
        if (defect is not WebSocketDefect.None) return false;

        var fields = new Fields();
        defect = fields.TryRead(head[(end + 2)..^2]) ? fields.Judge() : WebSocketDefect.BadRequest;
        if (defect is not WebSocketDefect.None) return false;

        request = new() { Target = target, Host = fields.Host, Origin = fields.Origin, Key = fields.Key };
        return true;
    }

    private static WebSocketDefect ReadRequestLine(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> target)
    {
        target = default;
        if (!line.EndsWith(" HTTP/1.1"u8)) return WebSocketDefect.BadRequest;

        var space = line.IndexOf((byte)' ');
        target = line[Math.Min(space + 1, line.Length - " HTTP/1.1".Length)..^" HTTP/1.1".Length];
        if (!line.StartsWith("GET "u8)) return WebSocketDefect.Method;

        return target is [(byte)'/', ..] && !target.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? WebSocketDefect.None : WebSocketDefect.BadRequest;
    }

    // What counts of the header, and how often it was there.
    private ref struct Fields
    {
        public ReadOnlySpan<byte> Host;
        public ReadOnlySpan<byte> Origin;
        public ReadOnlySpan<byte> Key;
        private ReadOnlySpan<byte> _version;
        private int _hosts;
        private int _keys;
        private int _versions;
        private bool _isUpgrade;
        private bool _isWebSocket;
        private bool _offersSip;

        public bool TryRead(ReadOnlySpan<byte> lines)
        {
            for (var count = 0; !lines.IsEmpty; count++)
            {
                var end = lines.IndexOf("\r\n"u8);
                var colon = lines.IndexOf((byte)':');
                if (count == MaxHeaders || end < 0 || colon < 0 || colon > end || !SipText.IsToken(lines[..colon])) return false;

                var value = lines[(colon + 1)..end].Trim(" \t"u8);
                // A NUL or a bare line end would mean something else to whoever reads the request next.
                if (value.ContainsAny((byte)0, (byte)'\r', (byte)'\n')) return false;

                Take(lines[..colon], value);
                lines = lines[(end + 2)..];
            }

            return true;
        }

        public readonly WebSocketDefect Judge()
        {
            if (_hosts != 1 || Host.IsEmpty) return WebSocketDefect.Host;
            if (!_isUpgrade || !_isWebSocket) return WebSocketDefect.NoUpgrade;
            if (_versions != 1 || !_version.SequenceEqual("13"u8)) return WebSocketDefect.Version;
            if (_keys != 1 || !IsNonce(Key)) return WebSocketDefect.Key;

            return _offersSip ? WebSocketDefect.None : WebSocketDefect.Protocol;
        }

        private void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (Is(name, "host"u8))
            {
                Host = value;
                _hosts++;
            }
            else if (Is(name, "sec-websocket-version"u8))
            {
                _version = value;
                _versions++;
            }
            else if (Is(name, "sec-websocket-key"u8))
            {
                Key = value;
                _keys++;
            }
            else if (Is(name, "origin"u8))
            {
                Origin = value;
            }
            else
            {
                _isUpgrade |= Is(name, "connection"u8) && Lists(value, "upgrade"u8);
                _isWebSocket |= Is(name, "upgrade"u8) && Lists(value, "websocket"u8);
                _offersSip |= Is(name, "sec-websocket-protocol"u8) && Lists(value, "sip"u8);
            }
        }

        private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(text, name);

        private static bool Lists(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
        {
            foreach (var range in list.Split((byte)','))
            {
                if (Is(list[range].Trim(" \t"u8), token)) return true;
            }

            return false;
        }

        private static bool IsNonce(ReadOnlySpan<byte> key)
        {
            Span<byte> nonce = stackalloc byte[NonceLength + 2];
            return Base64.DecodeFromUtf8(key, nonce, out var used, out var length) is OperationStatus.Done && used == key.Length && length == NonceLength;
        }
    }
}

/// <summary>Why a request does not open a WebSocket for SIP.</summary>
public enum WebSocketDefect
{
    None,

    /// <summary>It is no HTTP/1.1 request, too long, or has too many header lines.</summary>
    BadRequest,

    /// <summary>It is no GET.</summary>
    Method,

    /// <summary>It names no host, or several.</summary>
    Host,

    /// <summary>It does not ask for a WebSocket.</summary>
    NoUpgrade,

    /// <summary>It asks for another version than 13.</summary>
    Version,

    /// <summary>Its key is none.</summary>
    Key,

    /// <summary>It does not offer the subprotocol <c>sip</c> (RFC 7118 §4.1).</summary>
    Protocol,
}
