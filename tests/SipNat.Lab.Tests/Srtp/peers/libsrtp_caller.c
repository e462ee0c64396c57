/*
 * A recording client that encrypts with libsrtp: invites, sends frames of PCMU whose sequence numbers roll over, offers again
 * in the middle, and hangs up. What it sent is written to a file, what came back is opened by the key of the answer.
 *
 *   libsrtp_caller SERVER LOCAL SUITE NAME FRAMES FILE       NAME is the suite as it is to be written
 *
 * Prints one line of JSON.
 */
#include "libsrtp_suites.h"
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SIP_PORT 5060
#define MEDIA_PORT 40000
#define FRAME 160
#define FIRST_SEQUENCE 65500
#define SSRC 0x5A5A1234u
#define FRAME_NS 20000000L

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char *server, *local, *name;
static int sip, media, control, cseq;
static char answer[65536], offered_key[128];

static void fail(const char *why)
{
    fprintf(stderr, "libsrtp_caller: %s\n%s\n", why, answer);
    exit(1);
}

static void encode(const unsigned char *bytes, int length, char *text)
{
    for (int i = 0; i < length; i += 3) {
        unsigned word = (unsigned)bytes[i] << 16 | (i + 1 < length ? bytes[i + 1] : 0u) << 8 | (i + 2 < length ? bytes[i + 2] : 0u);

        for (int part = 0; part < 4; part++) *text++ = part <= length - i ? base64[word >> (18 - 6 * part) & 63] : '=';
    }

    *text = 0;
}

static int decode(const char *text, unsigned char *bytes, int room)
{
    unsigned word = 0;
    int bits = 0, length = 0;

    for (const char *place; *text && (place = strchr(base64, *text)) && length < room; text++) {
        word = word << 6 | (unsigned)(place - base64);
        bits += 6;
        if (bits >= 8) bytes[length++] = (unsigned char)(word >> (bits -= 8));
    }

    return length;
}

static struct sockaddr_in address_of(const char *host, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };

    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

static int open_socket(int port)
{
    struct sockaddr_in address = address_of(local, port);
    int opened = socket(AF_INET, SOCK_DGRAM, 0);

    if (bind(opened, (struct sockaddr *)&address, sizeof address) != 0) fail("cannot bind");
    return opened;
}

static void send_to(int from, int port, const void *bytes, int length)
{
    struct sockaddr_in address = address_of(server, port);

    if (sendto(from, bytes, (size_t)length, 0, (struct sockaddr *)&address, sizeof address) != length) fail("cannot send");
}

static const char *to_tag(void)
{
    static char tag[128];
    char *line = strstr(answer, "\r\nTo:"), *place = line ? strstr(line, ";tag=") : NULL;

    if (place) sscanf(place + 5, "%127[^;\r\n]", tag);
    return tag;
}

static void request(const char *method, int number, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof text,
        "%s sip:recorder@%s:%d SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\n"
        "From: <sip:caller@%s>;tag=caller\r\nTo: <sip:recorder@%s>%s%s\r\nCall-ID: libsrtp-%s\r\nCSeq: %d %s\r\n"
        "Contact: <sip:caller@%s:%d>;+sip.src\r\n%sContent-Length: %zu\r\n\r\n%s",
        method, server, SIP_PORT, local, SIP_PORT, method, number, local, server, *to_tag() ? ";tag=" : "", to_tag(), name, number, method,
        local, SIP_PORT, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

    send_to(sip, SIP_PORT, text, length);
}

static void wait_for(const char *what, int number)
{
    char wanted[64];
    struct pollfd ready = { .fd = sip, .events = POLLIN };

    snprintf(wanted, sizeof wanted, "CSeq: %d %s", number, what);
    while (poll(&ready, 1, 5000) > 0) {
        ssize_t length = recv(sip, answer, sizeof answer - 1, 0);

        answer[length > 0 ? length : 0] = 0;
        if (strncmp(answer, "SIP/2.0 1", 9) == 0 || strstr(answer, wanted) == NULL) continue;
        if (strncmp(answer, "SIP/2.0 200", 11) != 0) fail("refused");
        return;
    }

    fail("no answer");
}

static void offer(void)
{
    char body[1024];

    snprintf(body, sizeof body,
        "v=0\r\no=caller 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/SAVP 0\r\na=label:1\r\na=sendonly\r\na=crypto:1 %s inline:%s|2^31\r\n",
        cseq + 1, local, local, MEDIA_PORT, name, offered_key);
    request("INVITE", ++cseq, body);
    wait_for("INVITE", cseq);
    request("ACK", cseq, "");
}

static void put32(unsigned char *place, unsigned value)
{
    unsigned order = htonl(value);

    memcpy(place, &order, sizeof order);
}

static void send_frame(srtp_t sender, int port, unsigned index, FILE *file)
{
    static unsigned state = 1;
    unsigned char packet[12 + FRAME + SRTP_MAX_TRAILER_LEN] = { 0x80, 0 };
    unsigned sequence = FIRST_SEQUENCE + index;
    int length = 12 + FRAME;

    packet[2] = (unsigned char)(sequence >> 8);
    packet[3] = (unsigned char)sequence;
    put32(packet + 4, 1000 + FRAME * index);
    put32(packet + 8, SSRC);
    for (int i = 0; i < FRAME; i++) packet[12 + i] = (unsigned char)((state = state * 1103515245u + 12345u) >> 16 & 0x7F);
    fwrite(packet + 12, 1, FRAME, file);
    if (srtp_protect(sender, packet, &length) != srtp_err_status_ok) fail("cannot protect");
    send_to(media, port, packet, length);
}

static void send_report(srtp_t sender, int port, unsigned packets)
{
    unsigned char packet[28 + SRTP_MAX_TRAILER_LEN + 8] = { 0x80, 200, 0, 6 };
    int length = 28;

    put32(packet + 4, SSRC);
    put32(packet + 16, 1000 + FRAME * packets);
    put32(packet + 20, packets);
    put32(packet + 24, FRAME * packets);
    if (srtp_protect_rtcp(sender, packet, &length) != srtp_err_status_ok) fail("cannot protect a report");
    send_to(control, port, packet, length);
}

static int opened[2], failed;

static void receive(srtp_t receiver)
{
    unsigned char packet[2048];
    int sockets[] = { media, control };

    for (int kind = 0; kind < 2; kind++) {
        for (int length; (length = (int)recv(sockets[kind], packet, sizeof packet, MSG_DONTWAIT)) > 0;) {
            if (length < 2 || packet[0] < 128) continue;

            srtp_err_status_t status = packet[1] >= 192 && packet[1] < 224 ? srtp_unprotect_rtcp(receiver, packet, &length) : srtp_unprotect(receiver, packet, &length);
            if (status == srtp_err_status_ok) opened[packet[1] >= 192 && packet[1] < 224]++;
            else failed++;
        }
    }
}

static srtp_t create(const char *suite, unsigned char *key, srtp_ssrc_type_t direction)
{
    srtp_policy_t policy = { .key = key, .window_size = 128, .ssrc = { .type = direction } };
    srtp_t created;

    if (choose_suite(suite, &policy) == 0 || srtp_create(&created, &policy) != srtp_err_status_ok) fail("unknown suite");
    return created;
}

int main(int argc, char **argv)
{
    unsigned char key[MAX_KEY] = { 0 }, their_key[MAX_KEY] = { 0 };
    char told[128] = "", their_text[128] = "";
    srtp_policy_t policy = { 0 };
    struct timespec due;
    int port = 0;

    if (argc != 7 || srtp_init() != srtp_err_status_ok) return 2;
    server = argv[1];
    local = argv[2];
    name = argv[4];
    int key_length = choose_suite(argv[3], &policy);
    for (int i = 0; i < key_length; i++) key[i] = (unsigned char)(7 * i + 3);
    encode(key, key_length, offered_key);
    FILE *file = fopen(argv[6], "wb");
    sip = open_socket(SIP_PORT);
    media = open_socket(MEDIA_PORT);
    control = open_socket(MEDIA_PORT + 1);

    offer();
    char *line = strstr(answer, "m=audio "), *crypto = strstr(answer, "a=crypto:1 ");
    if (!file || !line || !crypto || sscanf(line, "m=audio %d RTP/SAVP", &port) != 1 || sscanf(crypto, "a=crypto:1 %127s inline:%127s", told, their_text) != 2) fail("not answered in kind");
    if (decode(their_text, their_key, sizeof their_key) != key_length) fail("a key of another length");

    srtp_t sender = create(argv[3], key, ssrc_any_outbound), receiver = create(argv[3], their_key, ssrc_any_inbound);
    unsigned frames = (unsigned)atoi(argv[5]);
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (unsigned i = 0; i < frames; i++) {
        if (i == frames / 2) offer();
        send_frame(sender, port, i, file);
        if (i % 50 == 10) send_report(sender, port + 1, i);
        receive(receiver);
        due.tv_nsec += FRAME_NS;
        if (due.tv_nsec >= 1000000000L) {
            due.tv_nsec -= 1000000000L;
            due.tv_sec++;
        }

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }

    fclose(file);
    request("BYE", ++cseq, "");
    wait_for("BYE", cseq);
    usleep(200000);
    receive(receiver);
    printf("{\"answered\":\"%s\",\"rtp\":%d,\"rtcp\":%d,\"failed\":%d}\n", told, opened[0], opened[1], failed);
    return 0;
}
