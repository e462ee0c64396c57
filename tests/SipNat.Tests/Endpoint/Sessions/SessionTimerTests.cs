using SipNat.Endpoint.Sessions;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Sessions;

public sealed class SessionTimerTests
{
    private static readonly Instant Start = new(0);

    [Theory]
    [InlineData("1800;refresher=uac", true, false, "1800;refresher=uac", 1768)]
    [InlineData("1800;refresher=uas", true, true, "1800;refresher=uas", 900)]
    [InlineData("1800;REFRESHER = UAS;x=y", true, true, "1800;refresher=uas", 900)]
    [InlineData("1800", true, false, "1800;refresher=uac", 1768)]
    [InlineData("1800", false, true, "1800;refresher=uas", 900)]
    [InlineData("90;refresher=uac", true, false, "90;refresher=uac", 60)]
    [InlineData("30", false, true, "90;refresher=uas", 45)]
    [InlineData("4294967295;refresher=uac", true, false, "86400;refresher=uac", 86_368)]
    public void What_a_request_asks_for_decides_who_refreshes_and_when(string header, bool knowsTimers, bool weRefresh, string answer, int dueAfter)
    {
        var timer = new SessionTimer();
        timer.Negotiate(Start, header, knowsTimers);

        Assert.Equal((weRefresh, answer), (timer.WeRefresh, timer.AnswerValue));
        Assert.Equal(answer.Replace(weRefresh ? "uas" : "uac", weRefresh ? "uac" : "uas", StringComparison.Ordinal), timer.RequestValue);
        Assert.Equal(Start + TimeSpan.FromSeconds(dueAfter), timer.Deadline);
        Assert.Equal(knowsTimers && !weRefresh, timer.RequiresTimer);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("99999999999")]
    public void A_request_without_a_readable_interval_ends_the_timer(string? header)
    {
        var timer = new SessionTimer();
        timer.Negotiate(Start, "1800", peerKnowsTimers: true);
        timer.Negotiate(Start, header, peerKnowsTimers: true);

        Assert.False(timer.IsRunning);
        Assert.Equal((null, null, null), (timer.Deadline, timer.AnswerValue, timer.RequestValue));
        Assert.False(SessionTimer.IsTooSmall(header, peerKnowsTimers: true));
    }

    [Theory]
    [InlineData("89", true, true)]
    [InlineData("89", false, false)]
    [InlineData("90", true, false)]
    public void An_interval_is_too_small_only_for_a_peer_that_can_ask_for_more(string header, bool knowsTimers, bool isTooSmall) =>
        Assert.Equal(isTooSmall, SessionTimer.IsTooSmall(header, knowsTimers));

    [Fact]
    public void A_refresh_that_stays_without_success_is_tried_every_ten_seconds_until_the_session_expires()
    {
        var timer = new SessionTimer();
        timer.Negotiate(Start, "90;refresher=uas", peerKnowsTimers: true);
        var refreshes = new List<double>();
        var now = Start;
        while (!timer.HasExpired(now))
        {
            now = timer.Deadline!.Value;
            if (timer.TakeRefreshDue(now)) refreshes.Add((now - Start).TotalSeconds);
        }

        Assert.Equal([45, 55], refreshes);
        Assert.Equal(60, (now - Start).TotalSeconds);
    }

    [Fact]
    public void An_answer_says_how_the_session_goes_on()
    {
        var timer = new SessionTimer();
        timer.TakeAnswer(Start, "100;refresher=uac");
        Assert.False(timer.IsRunning);

        timer.Negotiate(Start, "100;refresher=uas", peerKnowsTimers: true);
        timer.TakeAnswer(Start + TimeSpan.FromSeconds(50), null);
        Assert.Equal((true, Start + TimeSpan.FromSeconds(100)), (timer.WeRefresh, timer.Deadline!.Value));
        timer.TakeAnswer(Start, "400;refresher=uas");
        Assert.Equal((false, "400;refresher=uac", Start + TimeSpan.FromSeconds(368)), (timer.WeRefresh, timer.AnswerValue, timer.Deadline!.Value));
    }

    [Theory]
    [InlineData("300", true)]
    [InlineData("100", false)]
    [InlineData("50", false)]
    [InlineData("86401", false)]
    [InlineData("much", false)]
    [InlineData(null, false)]
    public void A_minimum_of_the_peer_is_taken_where_it_is_more_and_within_reason(string? minimum, bool isTaken)
    {
        var timer = new SessionTimer();
        Assert.False(timer.TryRaise(minimum));
        timer.Negotiate(Start, "100;refresher=uas", peerKnowsTimers: true);

        Assert.Equal(isTaken, timer.TryRaise(minimum));
        Assert.Equal((isTaken ? "300;refresher=uac" : "100;refresher=uac", isTaken ? "300" : null), (timer.RequestValue, timer.MinimumValue));
    }
}
