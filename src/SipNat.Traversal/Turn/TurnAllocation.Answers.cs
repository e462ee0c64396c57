using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <content>What the server says: answers to requests, and packets of peers.</content>
public sealed partial class TurnAllocation
{
    private int _strays;

    /// <summary>Takes what the server sent.</summary>
    /// <param name="now">The time.</param>
    /// <param name="flow">Where it came in.</param>
    /// <param name="from">Who sent it; of no account on a connection.</param>
    /// <param name="datagram">A datagram, or one message of a connection (<see cref="TurnFrame"/>).</param>
    /// <param name="packet">A peer's packet, a view into <paramref name="datagram"/>.</param>
    public TurnInput TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram, out TurnPacket packet)
    {
        packet = default;
        if (flow != Flow || (from != Server && !_options.Transport.IsReliable)) return TurnInput.NotMine;
        if (ChannelData.TryRead(datagram, out var data, out _)) return Unwrap(now, data, out packet);
        if (!StunMessage.LooksLikeStun(datagram) || !StunMessage.TryRead(datagram, out var message, out _)) return TurnInput.NotMine;
        if (message is { Class: StunClass.Indication, Method: StunMethod.Data }) return Unwrap(now, message, out packet);
        if (_requests.Find(message) is not { } request) return TurnInput.NotMine;

        if (_requests.TryEnd(now, request, message, out var isRefused)) HandleEnd(now, request, message, isRefused);
        return TurnInput.Taken;
    }

    private TurnInput Unwrap(Instant now, ChannelData data, out TurnPacket packet)
    {
        if (State is not TurnAllocationState.Allocated || !_channels.TryGetPeer(data.Number, out var peer)) return Stray(out packet);

        _liveness.HandlePacket(now);
        packet = new(peer, data.Payload);
        return TurnInput.Packet;
    }

    private TurnInput Unwrap(Instant now, StunMessage indication, out TurnPacket packet)
    {
        var isWhole = indication.TryGetAddress(StunAttributeType.XorPeerAddress, out var peer)
            & indication.TryGet(StunAttributeType.Data, out var payload);
        // An ICMP attribute in place of the data (RFC 8656 §11.6) is counted and nothing more.
        if (!isWhole || State is not TurnAllocationState.Allocated || !_permissions.Contains(peer)) return Stray(out packet);
        if (indication.HasUnknownRequiredAttribute(out _)) return Stray(out packet);

        _liveness.HandlePacket(now);
        packet = new(peer, payload);
        return TurnInput.Packet;
    }

    private TurnInput Stray(out TurnPacket packet)
    {
        packet = default;
        _strays++;
        return TurnInput.Taken;
    }

    // An answer with an attribute that has to be understood and is not is none (RFC 8489 §6.3.3, §6.3.4).
    private void HandleEnd(Instant now, TurnRequest request, StunMessage response, bool isRefused)
    {
        var code = StunErrorCode.BadRequest;
        if (isRefused) code = StunErrorCode.Unauthenticated;
        else if (response.HasUnknownRequiredAttribute(out _)) code = StunErrorCode.BadRequest;
        else if (response.Class is StunClass.Success) code = 0;
        else if (response.TryGetErrorCode(out var told, out _)) code = told;

        switch (request.Method)
        {
            case StunMethod.Allocate:
                HandleAllocate(now, response, code);
                break;
            case StunMethod.Refresh:
                HandleRefresh(now, response, code);
                break;
            default:
                HandlePeer(now, request, code);
                break;
        }
    }

    private void HandleAllocate(Instant now, StunMessage response, int code)
    {
        if (code == 0)
        {
            Accept(now, response);
            return;
        }

        if (code == StunErrorCode.TryAlternate)
        {
            Redirect(now, response);
            return;
        }

        // An allocation of ours that we forgot, as after a restart: it is ended once, and then asked for again.
        if (code == StunErrorCode.AllocationMismatch && !_hasReleasedStale)
        {
            _hasReleasedStale = true;
            _requests.Send(now, new(StunMethod.Refresh, lifetime: 0));
            return;
        }

        Fail(now, Failure(code), code);
    }

    private void Accept(Instant now, StunMessage response)
    {
        var isWhole = response.TryGetAddress(StunAttributeType.XorRelayedAddress, out var relayed)
            & response.TryGetMappedAddress(out var mapped)
            & TryGetLifetime(response, out var lifetime);
        if (!isWhole || relayed.Family != _options.RelayedFamily || relayed is { Port: 0 } or { IsUnspecified: true } or { IsMulticastOrBroadcast: true })
        {
            Fail(now, TurnFailure.Protocol, 0);
            return;
        }

        State = TurnAllocationState.Allocated;
        (Relayed, Mapped) = (relayed, mapped);
        Keep(now, lifetime);
        ScheduleKeepalive(now);
        _liveness.Reset(now);
        _permissions.Reset(now);
        _channels.Reset(now);
        _events.Enqueue(new TurnEvent.Allocated(Server, relayed, mapped, lifetime, now));
        AskForPeers(now);
    }

    private void Redirect(Instant now, StunMessage response)
    {
        if (!_redirection.TryFollow(response))
        {
            Fail(now, TurnFailure.Redirection, StunErrorCode.TryAlternate);
            return;
        }

        if (!_options.Transport.IsReliable)
        {
            Allocate(now);
            return;
        }

        State = TurnAllocationState.Redirected;
        _requests.Server = _redirection.Server;
        _events.Enqueue(new TurnEvent.Redirected(Server, now));
    }

    private void HandleRefresh(Instant now, StunMessage response, int code)
    {
        if (State is TurnAllocationState.Releasing)
        {
            State = TurnAllocationState.Idle;
            _events.Enqueue(new TurnEvent.Released(Server, now));
        }
        else if (State is TurnAllocationState.Allocating)
        {
            // The end of the forgotten one; 437 says that it is gone already.
            if (code is 0 or StunErrorCode.AllocationMismatch) SendAllocate(now);
            else Fail(now, TurnFailure.Mismatch, StunErrorCode.AllocationMismatch);
        }
        else if (code == 0 && TryGetLifetime(response, out var lifetime))
        {
            Keep(now, lifetime);
            _liveness.HandleAnswer(now);
        }
        else
        {
            Lose(now, code == StunErrorCode.AllocationMismatch ? TurnLoss.Unknown : TurnLoss.Refused);
        }
    }

    private void HandlePeer(Instant now, TurnRequest request, int code)
    {
        switch (code)
        {
            case 0 when request.Channel != 0:
                // The binding is a permission too (RFC 8656 §12.2).
                if (_channels.HandleConfirmed(now, request.Peer)) _events.Enqueue(new TurnEvent.ChannelBound(request.Peer, request.Channel, now));
                Permitted(now, request.Peer);
                break;
            case 0:
                Permitted(now, request.Peer);
                break;
            case StunErrorCode.AllocationMismatch:
                Lose(now, TurnLoss.Unknown);
                break;
            case StunErrorCode.Unauthenticated or StunErrorCode.WrongCredentials:
                Lose(now, TurnLoss.Refused);
                break;
            case StunErrorCode.ServerError or StunErrorCode.InsufficientCapacity or StunErrorCode.AllocationQuotaReached:
                if (request.Channel != 0) _channels.RetryAt(now + PeerRetryDelay, request.Peer);
                else _permissions.RetryAt(now + PeerRetryDelay, request.Peer);
                break;
            case StunErrorCode.BadRequest when request.Channel != 0:
                // The channel only: its number or peer is taken there. Indications go on to work.
                _channels.Remove(request.Peer);
                break;
            default:
                Forget(request.Peer);
                _events.Enqueue(new TurnEvent.PeerRefused(request.Peer, code, now));
                break;
        }
    }

    private void Permitted(Instant now, TransportAddress peer)
    {
        if (_permissions.HandleConfirmed(now, peer)) _events.Enqueue(new TurnEvent.PeerPermitted(peer.WithPort(0), now));
    }

    private void HandleSilence(Instant now, TurnRequest request)
    {
        switch (State)
        {
            case TurnAllocationState.Allocating:
                Fail(now, TurnFailure.Silence, 0);
                break;
            case TurnAllocationState.Releasing:
                State = TurnAllocationState.Idle;
                _events.Enqueue(new TurnEvent.Released(Server, now));
                break;
            case TurnAllocationState.Allocated when !request.IsProbe || _liveness.HandleSilence():
                Lose(now, TurnLoss.Silence);
                break;
        }
    }

    private void Keep(Instant now, TimeSpan lifetime)
    {
        _expiresAt = now + lifetime;
        _refreshAt = now + (lifetime > RefreshMargin * 2 ? lifetime - RefreshMargin : lifetime / 2);
    }

    // What was lost is asked for again at once, at the server that the configuration names.
    private void Lose(Instant now, TurnLoss reason)
    {
        if (Relayed is { } relayed) _events.Enqueue(new TurnEvent.Lost(Server, relayed, reason, now));
        Forget();
        _redirection.Reset();
        Allocate(now);
    }

    private void Fail(Instant now, TurnFailure reason, int code)
    {
        Forget();
        _requests.Clear();
        State = TurnAllocationState.Failed;
        _retryAt = reason is TurnFailure.Silence or TurnFailure.Capacity or TurnFailure.ServerError or TurnFailure.Mismatch or TurnFailure.Redirection
            ? now + RetryDelay
            : null;
        _events.Enqueue(new TurnEvent.Failed(Server, reason, code, _retryAt, now));
    }

    private static TurnFailure Failure(int code) => code switch
    {
        StunErrorCode.Unauthenticated or StunErrorCode.WrongCredentials => TurnFailure.Credentials,
        StunErrorCode.Forbidden => TurnFailure.Forbidden,
        StunErrorCode.AllocationMismatch => TurnFailure.Mismatch,
        StunErrorCode.AddressFamilyNotSupported => TurnFailure.AddressFamily,
        StunErrorCode.UnsupportedTransportProtocol => TurnFailure.Transport,
        StunErrorCode.AllocationQuotaReached or StunErrorCode.InsufficientCapacity => TurnFailure.Capacity,
        StunErrorCode.ServerError => TurnFailure.ServerError,
        _ => TurnFailure.Protocol,
    };

    private static bool TryGetLifetime(StunMessage response, out TimeSpan lifetime)
    {
        lifetime = default;
        if (!response.TryGetUInt32(StunAttributeType.Lifetime, out var seconds) || seconds == 0) return false;

        lifetime = seconds > MaxLifetime.TotalSeconds ? MaxLifetime : TimeSpan.FromSeconds(seconds);
        return true;
    }
}
