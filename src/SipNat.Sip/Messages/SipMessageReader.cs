using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace SipNat.Sip.Messages;

/// <summary>
/// Reads one message from its first byte to its last, once, and notes in the index where everything lies. It is
/// tolerant where RFC 3261 §8.2 lets a user agent be: LF-only line ends, folds, lines that are no header fields and
/// malformed header fields that no rule needs.
/// </summary>
internal ref struct SipMessageReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly SipHeaderIndex _index;
    private MessageLayout _layout;
    private int _position;

    public SipMessageReader(ReadOnlySpan<byte> bytes, SipHeaderIndex index)
    {
        _bytes = bytes;
        _index = index;
        index.Clear();
    }

    public bool TryRead(out SipDefect defect)
    {
        defect = FindStart();
        if (defect is SipDefect.None) defect = ReadStartLine(NextLine(out _));
        if (defect is not SipDefect.None) return false;

        var readable = ReadHeaders() && HasMandatoryHeaders();
        ReadBody();
        _index.Layout = _layout;
        defect = _layout.Defect;
        return defect is SipDefect.None || (readable && _layout.IsRequest);
    }

    /// <summary>Reads a header block alone, for the length of the body that follows it in a stream.</summary>
    public SipDefect ReadFraming(out int bodyLength)
    {
        bodyLength = 0;
        var defect = FindStart();
        if (defect is SipDefect.None) defect = ReadStartLine(NextLine(out _));
        if (defect is not SipDefect.None) return defect;
        if (!ReadHeaders()) return SipDefect.TooLong;

        // Whatever else is wrong with the message, the next one begins behind its body.
        _layout.Defect = SipDefect.None;
        var found = TryReadContentLength(out bodyLength);
        return _layout.Defect is not SipDefect.None ? _layout.Defect
            : !found ? SipDefect.MissingContentLength
            : bodyLength > SipMessage.MaxBodyLength ? SipDefect.BodyTooLarge
            : SipDefect.None;
    }

    private SipDefect FindStart()
    {
        if (_bytes.Length > SipMessage.MaxLength) return SipDefect.TooLong;
        if (!_bytes.ContainsAnyExcept((byte)'\r', (byte)'\n', (byte)0)) return SipDefect.Empty;

        while (_bytes[_position] is (byte)'\r' or (byte)'\n') _position++;
        return SipDefect.None;
    }

    // The range of the line at the position, without its end, and moves behind it.
    private TextRange NextLine(out bool ended)
    {
        var rest = _bytes[_position..];
        var end = rest.IndexOf((byte)'\n');
        ended = end >= 0;
        var length = ended ? end : rest.Length;
        var line = new TextRange(_position, length > 0 && rest[length - 1] == '\r' ? length - 1 : length);
        _position += ended ? end + 1 : length;
        return line;
    }

    private SipDefect ReadStartLine(TextRange range)
    {
        var line = SipText.TrimEnd(range.Of(_bytes));
        var space = line.IndexOf((byte)' ');
        if (space <= 0) return SipDefect.NotSip;
        if (IsVersion(line[..space])) return ReadStatusLine(line, range.Start, space);

        var lastSpace = line.LastIndexOf((byte)' ');
        if (lastSpace == space || !SipText.IsToken(line[..space]) || !IsVersion(line[(lastSpace + 1)..])) return SipDefect.NotSip;

        _layout.IsRequest = true;
        _layout.MethodText = new(range.Start, space);
        _layout.Method = SipMethods.Find(line[..space]);
        _layout.RequestUri = Trimmed(new(range.Start + space, lastSpace - space));
        if (!IsVersion2(line[(lastSpace + 1)..])) Note(SipDefect.WrongVersion);
        CheckRequestUri(_layout.RequestUri.Of(_bytes));
        return SipDefect.None;
    }

    private SipDefect ReadStatusLine(ReadOnlySpan<byte> line, int start, int space)
    {
        if (!IsVersion2(line[..space])) return SipDefect.WrongVersion;

        var status = line[(space + 1)..];
        var isThreeDigits = Utf8Parser.TryParse(status, out int code, out var digits) && digits == 3 && code is >= 100 and <= 699;
        if (!isThreeDigits || (status.Length > 3 && status[3] != ' ')) return SipDefect.BadStatusCode;

        _layout.StatusCode = code;
        _layout.ReasonPhrase = Trimmed(new(start + space + 4, status.Length - 3));
        return SipDefect.None;
    }

    private static bool IsVersion(ReadOnlySpan<byte> text) => text.Length > 4 && Ascii.EqualsIgnoreCase(text[..4], "SIP/"u8);

    private static bool IsVersion2(ReadOnlySpan<byte> text) => text[4..].SequenceEqual("2.0"u8);

    private void CheckRequestUri(ReadOnlySpan<byte> text)
    {
        if (!SipUriView.TryRead(text, out var uri)) Note(SipDefect.BadRequestUri);
        else if (uri.Scheme is SipUriScheme.Other) Note(SipDefect.UnsupportedScheme);
    }

    // False where the block is longer than any header block may be.
    private bool ReadHeaders()
    {
        while (true)
        {
            var line = NextLine(out var ended);
            if (ended && line.Length == 0) return true;

            // A fold continues the value on the next line (RFC 3261 §7.3.1).
            while (ended && _position < _bytes.Length && _bytes[_position] is (byte)' ' or (byte)'\t')
            {
                var fold = NextLine(out ended);
                line = new(line.Start, fold.Start + fold.Length - line.Start);
            }

            if (_position > SipMessage.MaxHeaderLength) Note(SipDefect.TooLong);
            if (_position > SipMessage.MaxHeaderLength) return false;

            AddHeader(line);
            if (ended) continue;

            Note(SipDefect.TruncatedHeaders);
            return true;
        }
    }

    // A line without a name and a colon is no header field and is ignored.
    private void AddHeader(TextRange line)
    {
        var text = line.Of(_bytes);
        var colon = text.IndexOf((byte)':');
        if (colon <= 0) return;

        var name = SipText.TrimEnd(text[..colon]);
        if (!SipText.IsToken(name)) return;

        var value = Trimmed(new(line.Start + colon + 1, line.Length - colon - 1));
        if (!_index.TryAdd(new(SipHeaders.Find(name), new(line.Start, name.Length), value))) Note(SipDefect.TooManyHeaders);
    }

    private readonly TextRange Trimmed(TextRange range)
    {
        var text = range.Of(_bytes);
        var start = text.Length - SipText.TrimStart(text).Length;
        return new(range.Start + start, SipText.Trim(text).Length);
    }

    // Whether an answer could be written: all that it copies from the request is there (RFC 3261 §8.2.6.2).
    private bool HasMandatoryHeaders()
    {
        var hasVia = ReadVia();
        var hasFrom = TryGetOnly(SipHeader.From, SipDefect.MissingFrom, out var from);
        if (hasFrom) _layout.FromTag = ReadTag(from, SipDefect.BadFrom);
        var hasTo = TryGetOnly(SipHeader.To, SipDefect.MissingTo, out var to);
        if (hasTo) _layout.ToTag = ReadTag(to, SipDefect.BadTo);
        var hasCallId = TryGetOnly(SipHeader.CallId, SipDefect.MissingCallId, out var callId);
        if (hasCallId) ReadCallId(callId);
        var hasCSeq = TryGetOnly(SipHeader.CSeq, SipDefect.MissingCSeq, out var cseq);
        if (hasCSeq) ReadCSeq(cseq);
        return hasVia && hasFrom && hasTo && hasCallId && hasCSeq;
    }

    private bool ReadVia()
    {
        foreach (var value in new SipValueEnumerator(_bytes, _index.Entries, SipHeader.Via))
        {
            if (Via.TryRead(value, out _)) return true;

            Note(SipDefect.BadVia);
            return false;
        }

        Note(SipDefect.MissingVia);
        return false;
    }

    private bool TryGetOnly(SipHeader header, SipDefect missing, out TextRange value)
    {
        value = default;
        var found = 0;
        foreach (var entry in _index.Entries)
        {
            if (entry.Header == header && found++ == 0) value = entry.Value;
        }

        if (found == 0) Note(missing);
        if (found > 1) Note(SipDefect.DuplicateHeader);
        return found > 0;
    }

    private TextRange ReadTag(TextRange value, SipDefect bad)
    {
        if (!NameAddress.TryRead(value.Of(_bytes), out var address))
        {
            Note(bad);
            return default;
        }

        // Tags and Call-ID are kept as text: what is none could not be given back to the peer.
        var tag = address.Tag;
        if (!Utf8.IsValid(tag)) Note(bad);
        return _bytes.Overlaps(tag, out var start) ? new(start, tag.Length) : default;
    }

    private void ReadCallId(TextRange value)
    {
        _layout.CallId = value;
        if (value.Length == 0 || HasControl(value.Of(_bytes)) || !Utf8.IsValid(value.Of(_bytes))) Note(SipDefect.BadCallId);
    }

    private static bool HasControl(ReadOnlySpan<byte> value) => value.ContainsAnyInRange((byte)0, (byte)' ') || value.Contains((byte)0x7F);

    private void ReadCSeq(TextRange range)
    {
        var value = range.Of(_bytes);
        if (!Utf8Parser.TryParse(value, out uint number, out var digits) || digits == value.Length || !SipText.IsWhiteSpace(value[digits]))
        {
            Note(SipDefect.BadCSeq);
            return;
        }

        _layout.CSeqNumber = number;
        var method = SipText.TrimStart(value[digits..]);
        if (_layout.IsRequest)
        {
            if (!method.SequenceEqual(_layout.MethodText.Of(_bytes))) Note(SipDefect.CSeqMethodMismatch);
            return;
        }

        _layout.MethodText = new(range.Start + range.Length - method.Length, method.Length);
        _layout.Method = SipMethods.Find(method);
        if (!SipText.IsToken(method)) Note(SipDefect.BadCSeq);
    }

    private void ReadBody()
    {
        var rest = new TextRange(_position, _bytes.Length - _position);
        _layout.Body = rest;
        if (!TryReadContentLength(out var length)) return;

        if (length > SipMessage.MaxBodyLength) Note(SipDefect.BodyTooLarge);
        else if (length > rest.Length) Note(SipDefect.TruncatedBody);
        else _layout.Body = rest with { Length = length };
    }

    private bool TryReadContentLength(out int length)
    {
        length = -1;
        foreach (var entry in _index.Entries)
        {
            if (entry.Header is not SipHeader.ContentLength) continue;

            if (!ContentLength.TryRead(entry.Value.Of(_bytes), out var value)) Note(SipDefect.BadContentLength);
            else if (length >= 0 && value != length) Note(SipDefect.DuplicateHeader);
            else length = value;
        }

        return length >= 0;
    }

    // The first fault is the one that is told.
    private void Note(SipDefect defect)
    {
        if (_layout.Defect is SipDefect.None) _layout.Defect = defect;
    }
}
