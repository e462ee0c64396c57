using System.Text;
using SipNat.Endpoint.Siprec;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class CiscoRecordingParticipantTests
{
    [Theory]
    [InlineData("<sip:708090@198.51.100.5>;media-index=\"0\"", "sip:708090@198.51.100.5", null, "0")]
    [InlineData("sip:708090@198.51.100.5;media-index=\"1\"", "sip:708090@198.51.100.5", null, "1")]
    [InlineData(" \"Front Desk\" <sip:1@h;user=phone> ; x=y ; Media-Index = 0 ", "sip:1@h;user=phone", "Front Desk", "0")]
    [InlineData("<sip:1@h>;media-index=\"0 1,2\"", "sip:1@h", null, "0 1 2")]
    [InlineData("<sip:1@h>;media-index=\"-1 x 99999 3\"", "sip:1@h", null, "3")]
    [InlineData("<sip:1@h>", "sip:1@h", null, "")]
    [InlineData("tel:+1", "tel:+1", null, "")]
    public void A_header_says_who_and_on_which_media(string value, string uri, string? name, string indexes)
    {
        Assert.True(CiscoRecordingParticipant.TryRead(Encoding.UTF8.GetBytes(value), out var participant));
        Assert.Equal((uri, name, indexes), (participant!.Uri, participant.Name, string.Join(' ', participant.MediaIndexes)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("<>")]
    [InlineData("<sip:1@h")]
    [InlineData(";media-index=\"0\"")]
    public void A_header_without_an_address_is_not_read(string value) =>
        Assert.False(CiscoRecordingParticipant.TryRead(Encoding.UTF8.GetBytes(value), out _));

    [Fact]
    public void Length_and_list_have_limits_and_no_mutation_throws()
    {
        Assert.False(CiscoRecordingParticipant.TryRead(new byte[CiscoRecordingParticipant.MaxLength + 1], out _));
        var many = Encoding.UTF8.GetBytes($"<a>;media-index=\"{string.Join(' ', Enumerable.Repeat(1, CiscoRecordingParticipant.MaxMediaIndexes + 5))}\"");
        Assert.True(CiscoRecordingParticipant.TryRead(many, out var participant));
        Assert.Equal(CiscoRecordingParticipant.MaxMediaIndexes, participant!.MediaIndexes.Count);

        var random = new Random(1);
        var bytes = "\"A\" <sip:1@h>;media-index=\"0 1\""u8.ToArray();
        for (var round = 0; round < 2000; round++)
        {
            var mutated = bytes.ToArray();
            for (var change = 0; change <= round % 4; change++) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            _ = CiscoRecordingParticipant.TryRead(mutated.AsSpan(0, random.Next(mutated.Length + 1)), out _);
        }
    }
}
