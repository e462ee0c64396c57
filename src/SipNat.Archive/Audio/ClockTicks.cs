namespace SipNat.Archive.Audio;

/// <summary>Times to come in timestamps of a clock.</summary>
internal static class ClockTicks
{
    extension(TimeProvider clock)
    {
        public long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * clock.TimestampFrequency);

        /// <summary>For a wait: rounded up, -1 for <see cref="long.MaxValue"/>, which never comes.</summary>
        public int MillisecondsUntil(long due)
        {
            if (due == long.MaxValue) return Timeout.Infinite;

            var wait = (due - clock.GetTimestamp()) * 1000.0 / clock.TimestampFrequency;
            return (int)Math.Clamp(Math.Ceiling(wait), 0, int.MaxValue);
        }
    }
}
