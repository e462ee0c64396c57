using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>
/// Gathers the ICE attributes of a description, line by line: first those of the session, then those of one medium,
/// which replace them (RFC 8839 §5). Other attributes are passed over.
/// </summary>
public sealed class IceDescriptionReader
{
    private const string Trickle = "trickle";

    private readonly List<Candidate> _candidates = [];
    private readonly List<(int Component, TransportAddress Address)> _remoteCandidates = [];
    private readonly List<string> _options = [];
    private string? _userFragment;
    private string? _password;
    private bool _isLite;
    private bool _isEnd;
    private int _passedOver;

    /// <summary>Takes the name and value of one <c>a=</c> line; false where it is none of ICE's.</summary>
    public bool TryAdd(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "candidate":
                AddCandidate(value);
                return true;
            case "ice-ufrag":
                _userFragment = Bounded(value);
                return true;
            case "ice-pwd":
                _password = Bounded(value);
                return true;
            case "ice-lite":
                _isLite = true;
                return true;
            case "ice-options":
                AddOptions(value);
                return true;
            case "end-of-candidates":
                _isEnd = true;
                return true;
            case "remote-candidates":
                AddRemoteCandidates(value);
                return true;
            default:
                return false;
        }
    }

    /// <summary>False where the credentials are missing or malformed: the peer does not speak ICE for this medium.</summary>
    public bool TryRead(out IceDescription? description)
    {
        description = null;
        if (_userFragment is null || _password is null) return false;

        var credentials = new IceCredentials(_userFragment, _password);
        if (!credentials.IsValid) return false;

        description = new()
        {
            Credentials = credentials,
            IsLite = _isLite,
            Candidates = _candidates,
            IsComplete = _isEnd || !_options.Contains(Trickle, StringComparer.Ordinal),
            Options = _options,
            RemoteCandidates = _remoteCandidates,
            PassedOver = _passedOver,
        };
        return true;
    }

    private void AddCandidate(ReadOnlySpan<char> value)
    {
        if (_candidates.Count == IceDescription.MaxCandidates || !CandidateText.TryRead(value, out var candidate, out _)) _passedOver++;
        else _candidates.Add(candidate!);
    }

    private void AddOptions(ReadOnlySpan<char> value)
    {
        foreach (var range in value.Split(' '))
        {
            if (_options.Count == IceDescription.MaxOptions) return;
            if (!value[range].IsEmpty && Bounded(value[range]) is { } option) _options.Add(option);
        }
    }

    // Groups of three: component, address, port.
    private void AddRemoteCandidates(ReadOnlySpan<char> value)
    {
        Span<Range> words = stackalloc Range[(3 * 2) + 1];
        var count = value.Split(words, ' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i + 2 < count && _remoteCandidates.Count < 2; i += 3)
        {
            var host = value[words[i + 1]];
            if (!int.TryParse(value[words[i]], NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id is < 1 or > Candidate.MaxComponent) return;
            if (!ushort.TryParse(value[words[i + 2]], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return;
            if (!TransportAddress.TryParse(host.Contains(':') ? $"[{host}]" : host, out var address, number)) return;

            _remoteCandidates.Add((id, address));
        }
    }

    private static string? Bounded(ReadOnlySpan<char> value) => value.Length > IceCredentials.MaxLength ? null : value.ToString();
}
