using System.Text;
using System.Xml;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Siprec;

/// <summary>A complete metadata document (RFC 7865 §6): one session, two participants, each sending its streams.</summary>
public static class MetadataText
{
    public const string MediaType = "application/rs-metadata+xml";

    private const string Namespace = "urn:ietf:params:xml:ns:recording:1";

    private static readonly (string Aor, string Name)[] Parties =
    [
        ("sip:alice@example.com", "Alice"),
        ("sip:bob@example.com", "Bob"),
    ];

    public static string Build(IReadOnlyList<IOfferedStream> streams, DateTimeOffset at)
    {
        var session = Id();
        var parties = Parties.Select(_ => Id()).ToArray();
        var ids = streams.Select(_ => Id()).ToArray();
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true }))
        {
            xml.WriteStartElement("recording", Namespace);
            xml.WriteElementString("datamode", Namespace, "complete");
            WriteSession(xml, session, at);
            for (var i = 0; i < parties.Length; i++) WriteParticipant(xml, parties[i], Parties[i]);
            for (var i = 0; i < ids.Length; i++) WriteStream(xml, ids[i], session, streams[i].Label);
            WriteAssociation(xml, "sessionrecordingassoc", "session_id", session, at);
            foreach (var party in parties) WriteParticipantOfSession(xml, party, session, at);
            for (var i = 0; i < parties.Length; i++) WriteStreamsOfParticipant(xml, parties[i], i, ids, at);
            xml.WriteEndElement();
        }

        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + text.ToString().ReplaceLineEndings("\r\n") + "\r\n";
    }

    private static void WriteSession(XmlWriter xml, string id, DateTimeOffset at)
    {
        xml.WriteStartElement("session", Namespace);
        xml.WriteAttributeString("session_id", id);
        xml.WriteElementString("sipSessionID", Namespace, $"{ClientDialog.Token(16)};remote={ClientDialog.Token(16)}");
        xml.WriteElementString("start-time", Namespace, Time(at));
        xml.WriteEndElement();
    }

    private static void WriteParticipant(XmlWriter xml, string id, (string Aor, string Name) party)
    {
        xml.WriteStartElement("participant", Namespace);
        xml.WriteAttributeString("participant_id", id);
        xml.WriteStartElement("nameID", Namespace);
        xml.WriteAttributeString("aor", party.Aor);
        xml.WriteElementString("name", Namespace, party.Name);
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteStream(XmlWriter xml, string id, string session, string label)
    {
        xml.WriteStartElement("stream", Namespace);
        xml.WriteAttributeString("stream_id", id);
        xml.WriteAttributeString("session_id", session);
        xml.WriteElementString("label", Namespace, label);
        xml.WriteEndElement();
    }

    private static void WriteAssociation(XmlWriter xml, string element, string attribute, string id, DateTimeOffset at)
    {
        xml.WriteStartElement(element, Namespace);
        xml.WriteAttributeString(attribute, id);
        xml.WriteElementString("associate-time", Namespace, Time(at));
        xml.WriteEndElement();
    }

    private static void WriteParticipantOfSession(XmlWriter xml, string participant, string session, DateTimeOffset at)
    {
        xml.WriteStartElement("participantsessionassoc", Namespace);
        xml.WriteAttributeString("participant_id", participant);
        xml.WriteAttributeString("session_id", session);
        xml.WriteElementString("associate-time", Namespace, Time(at));
        xml.WriteEndElement();
    }

    // Odd streams are the first party's voice, even ones the second's.
    private static void WriteStreamsOfParticipant(XmlWriter xml, string participant, int party, string[] streams, DateTimeOffset at)
    {
        xml.WriteStartElement("participantstreamassoc", Namespace);
        xml.WriteAttributeString("participant_id", participant);
        for (var i = 0; i < streams.Length; i++) xml.WriteElementString(i % Parties.Length == party ? "send" : "recv", Namespace, streams[i]);
        xml.WriteElementString("associate-time", Namespace, Time(at));
        xml.WriteEndElement();
    }

    // RFC 7865 §6.10: the ids are base64 of a UUID.
    private static string Id() => Convert.ToBase64String(Guid.NewGuid().ToByteArray());

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
