using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Takes one document into the state. Whatever a document names begins or changes; what it marks with an end time ends;
/// what a complete document no longer names ends too. Sessions come first, and what hangs on an ended one ends with it.
/// </summary>
internal sealed class MetadataMerge(MetadataState state, Instant now, RecordingMetadataDocument document)
{
    private readonly List<MetadataHistoryEntry> _changes = [];
    private bool _isDangling;

    public MetadataUpdate Run()
    {
        var lacksComplete = document.IsPartial && !state.HasCompleteDocument;
        state.HasDocument = true;
        state.HasCompleteDocument |= !document.IsPartial;
        state.HasEmptyAssociation = document.ParticipantStreams.Any(a => a.Span.Until is null && a is { Sends: [], Receives: [] });

        MergeSessions();
        MergeParticipants();
        MergePresences();
        MergeStreams();
        MergeSends();
        StopOrphanedSends();
        return new(_changes, lacksComplete || (document.IsPartial && _isDangling));
    }

    private void MergeSessions()
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var session in document.Sessions)
        {
            named.Add(session.Id);
            var ended = session.Span.Until ?? EndOfRecording(session.Id);
            BeginSession(session);
            if (ended is not null) EndSession(session.Id, ended, session.Reason);
        }

        foreach (var association in document.SessionRecordings)
        {
            if (named.Contains(association.SessionId)) continue;
            if (!state.Sessions.ContainsKey(association.SessionId)) _isDangling = true;
            if (association.Span.Until is { } until) EndSession(association.SessionId, until, null);
        }

        if (document.IsPartial) return;

        foreach (var id in state.Sessions.Keys.ToList())
        {
            if (!named.Contains(id)) EndSession(id, null, null);
        }
    }

    private DateTimeOffset? EndOfRecording(string sessionId) =>
        document.SessionRecordings.FirstOrDefault(a => a.SessionId == sessionId)?.Span.Until;

    private void BeginSession(MetadataSession session)
    {
        var isKnown = state.Sessions.TryGetValue(session.Id, out var known);
        var next = new CommunicationSession
        {
            Id = session.Id,
            SipSessionIds = session.SipSessionIds is [] && known is not null ? known.SipSessionIds : session.SipSessionIds,
            Groups = session.Groups is [] && known is not null ? known.Groups : session.Groups,
            StartedAt = known?.StartedAt ?? now,
            EndedAt = session.Span.Until is null && EndOfRecording(session.Id) is null ? null : known?.EndedAt,
            Stated = new(session.Span.From ?? known?.Stated.From, known?.Stated.Until),
            Reason = known?.Reason,
        };
        if (!state.TrySet(state.Sessions, session.Id, next)) return;

        if (!isKnown || (known!.EndedAt is not null && next.EndedAt is null))
        {
            Record(session.Span.From, new MetadataChange.SessionStarted(next.Id, next.SipSessionIds, next.Groups));
        }
        else if (!known.SipSessionIds.SequenceEqual(next.SipSessionIds) || !known.Groups.SequenceEqual(next.Groups))
        {
            Record(null, new MetadataChange.SessionChanged(next.Id, next.SipSessionIds, next.Groups));
        }
    }

    private void EndSession(string id, DateTimeOffset? stated, string? reason)
    {
        if (!state.Sessions.TryGetValue(id, out var session) || session.EndedAt is not null) return;

        state.Sessions[id] = session with { EndedAt = now, Stated = session.Stated with { Until = stated }, Reason = reason };
        foreach (var (participant, ofSession) in state.Presences.Keys.ToList())
        {
            if (ofSession == id) Leave(participant, ofSession, stated);
        }

        foreach (var (stream, _) in state.Streams.Values.ToList())
        {
            if (stream.SessionId == id) RemoveStream(stream.Id, stated);
        }

        Record(stated, new MetadataChange.SessionEnded(id, reason));
    }

    private void MergeParticipants()
    {
        foreach (var participant in document.Participants)
        {
            if (!state.Participants.TryGetValue(participant.Id, out var known) || known.Names.SequenceEqual(participant.Names)) continue;
            if (participant.Names is []) continue;

            state.Participants[participant.Id] = known with { Names = participant.Names };
            Record(null, new MetadataChange.ParticipantChanged(participant.Id, participant.Names));
        }
    }

    private void MergePresences()
    {
        var named = new HashSet<(string, string)>();
        foreach (var association in PresencesOfDocument())
        {
            if (association.Span.Until is { } until)
            {
                EndPresence(association, until);
                continue;
            }

            var session = association.SessionId.Length > 0 ? association.SessionId : OnlySession();
            if (session.Length > 0 && !state.Sessions.ContainsKey(session)) _isDangling = true;
            named.Add((association.ParticipantId, session));
            Join(association.ParticipantId, session, association.Span.From);
        }

        if (document.IsPartial) return;

        foreach (var presence in state.Presences.Keys.ToList())
        {
            if (!named.Contains(presence)) Leave(presence.ParticipantId, presence.SessionId, null);
        }
    }

    // Clients that leave the associations out list whoever is there, and in a partial document whoever is added.
    private IEnumerable<ParticipantSessionAssociation> PresencesOfDocument()
    {
        var associated = document.ParticipantSessions.Select(a => a.ParticipantId).ToHashSet(StringComparer.Ordinal);
        var listed = document.Participants
            .Where(p => !associated.Contains(p.Id) && !(document.IsPartial && state.Participants.ContainsKey(p.Id)))
            .Select(p => new ParticipantSessionAssociation(p.Id, string.Empty, default));
        return [.. document.ParticipantSessions, .. listed];
    }

    private string OnlySession()
    {
        var active = state.Sessions.Values.Where(s => s.EndedAt is null).Select(s => s.Id).Take(2).ToList();
        return active is [var only] ? only : string.Empty;
    }

    private void EndPresence(ParticipantSessionAssociation association, DateTimeOffset until)
    {
        var isKnown = false;
        foreach (var (participant, session) in state.Presences.Keys.ToList())
        {
            if (participant != association.ParticipantId) continue;
            if (association.SessionId.Length > 0 && association.SessionId != session) continue;

            isKnown = true;
            Leave(participant, session, until);
        }

        if (!isKnown) _isDangling = true;
    }

    private void Join(string participantId, string sessionId, DateTimeOffset? stated)
    {
        var listed = document.Participants.FirstOrDefault(p => p.Id == participantId);
        if (!state.Participants.TryGetValue(participantId, out var known))
        {
            if (listed is null) _isDangling = true;
            known = new() { Id = participantId, Names = listed?.Names ?? [], JoinedAt = now, Stated = new(stated, null) };
        }

        if (!state.TrySet(state.Participants, participantId, known with { LeftAt = null, Stated = known.Stated with { Until = null } })) return;
        if (state.Presences.TryGetValue((participantId, sessionId), out var isPresent) && isPresent) return;
        if (!state.TrySet(state.Presences, (participantId, sessionId), true)) return;

        Record(stated, new MetadataChange.ParticipantJoined(participantId, sessionId, known.Names));
    }

    private void Leave(string participantId, string sessionId, DateTimeOffset? stated)
    {
        if (!state.Presences.TryGetValue((participantId, sessionId), out var isPresent) || !isPresent) return;

        state.Presences[(participantId, sessionId)] = false;
        if (!state.Presences.Any(p => p.Value && p.Key.ParticipantId == participantId))
        {
            var participant = state.Participants[participantId];
            state.Participants[participantId] = participant with { LeftAt = now, Stated = participant.Stated with { Until = stated } };
        }

        Record(stated, new MetadataChange.ParticipantLeft(participantId, sessionId));
    }

    private void MergeStreams()
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stream in document.Streams)
        {
            named.Add(stream.Id);
            if (stream.SessionId is { } session && !state.Sessions.ContainsKey(session)) _isDangling = true;
            if (stream.Span.Until is { } until) RemoveStream(stream.Id, until);
            else AddStream(stream);
        }

        if (document.IsPartial) return;

        foreach (var id in state.Streams.Keys.ToList())
        {
            if (!named.Contains(id)) RemoveStream(id, null);
        }
    }

    private void AddStream(MetadataStream stream)
    {
        var isKnown = state.Streams.TryGetValue(stream.Id, out var known);
        if (isKnown && document.IsPartial)
        {
            stream = stream with { Label = stream.Label ?? known.Stream.Label, SessionId = stream.SessionId ?? known.Stream.SessionId };
        }

        if (!state.TrySet(state.Streams, stream.Id, (stream, true))) return;

        if (!isKnown || !known.IsActive)
        {
            Record(stream.Span.From, new MetadataChange.StreamAdded(stream.Id, stream.Label, stream.SessionId));
        }
        else if (known.Stream.Label != stream.Label || known.Stream.SessionId != stream.SessionId)
        {
            Record(null, new MetadataChange.StreamChanged(stream.Id, stream.Label, stream.SessionId));
        }
    }

    private void RemoveStream(string id, DateTimeOffset? stated)
    {
        if (!state.Streams.TryGetValue(id, out var known) || !known.IsActive) return;

        state.Streams[id] = (known.Stream, false);
        Record(stated, new MetadataChange.StreamRemoved(id, known.Stream.Label));
    }

    // An association replaces what its participant sent before; one with an end time only takes away.
    private void MergeSends()
    {
        var named = new HashSet<(string, string)>();
        var replaced = new HashSet<string>(StringComparer.Ordinal);
        foreach (var association in document.ParticipantStreams)
        {
            var participant = association.ParticipantId;
            if (!state.Participants.ContainsKey(participant)) _isDangling = true;
            if (association.Span.Until is { } until)
            {
                StopSends(participant, stream => association.Sends is [] || association.Sends.Contains(stream), until);
                continue;
            }

            replaced.Add(participant);
            foreach (var stream in association.Sends)
            {
                if (!state.Streams.ContainsKey(stream)) _isDangling = true;
                named.Add((participant, stream));
                if (!IsOrphaned(participant, stream)) StartSend(participant, stream, association.Span.From);
            }
        }

        foreach (var participant in state.Sends.Keys.Select(pair => pair.ParticipantId).Distinct(StringComparer.Ordinal).ToList())
        {
            if (document.IsPartial && !replaced.Contains(participant)) continue;

            StopSends(participant, stream => !named.Contains((participant, stream)), null);
        }
    }

    private void StartSend(string participantId, string streamId, DateTimeOffset? stated)
    {
        if (state.Sends.TryGetValue((participantId, streamId), out var isSending) && isSending) return;
        if (!state.TrySet(state.Sends, (participantId, streamId), true)) return;

        Record(stated, new MetadataChange.SendingStarted(participantId, streamId));
    }

    private void StopSends(string participantId, Func<string, bool> isStopped, DateTimeOffset? stated)
    {
        // By place: a document may name hundreds of senders, and each comes by here.
        for (var i = 0; i < state.Sends.Count; i++)
        {
            var ((sender, stream), isSending) = state.Sends.GetAt(i);
            if (!isSending || sender != participantId || !isStopped(stream)) continue;

            state.Sends.SetAt(i, false);
            Record(stated, new MetadataChange.SendingStopped(sender, stream));
        }
    }

    private void StopOrphanedSends()
    {
        foreach (var participant in state.Sends.Keys.Select(pair => pair.ParticipantId).Distinct(StringComparer.Ordinal).ToList())
        {
            StopSends(participant, stream => IsOrphaned(participant, stream), null);
        }
    }

    // Nobody sends who has left, and nothing is sent in a stream that is gone. A stream that was never listed stays:
    // some clients name it all the same.
    private bool IsOrphaned(string participantId, string streamId) =>
        (state.Participants.TryGetValue(participantId, out var participant) && participant.LeftAt is not null)
        || (state.Streams.TryGetValue(streamId, out var tracked) && !tracked.IsActive);

    private void Record(DateTimeOffset? stated, MetadataChange change) => _changes.Add(state.Record(now, stated, change));
}
