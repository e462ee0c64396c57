/*
 * How little a recorder can cost: receives RTP on many UDP ports, parses it, counts losses and jitter, and writes the
 * payload of each stream into a file of its own through a buffer. Nothing else: no signalling, no latch, no timeline.
 *
 *     limit ADDRESS FIRST_PORT STREAMS DIRECTORY
 *
 * Sockets are visited in turn: every 5 ms one slice of them, each socket every 200 ms, with as many datagrams to one call
 * as it has. Each datagram comes with the time at which the kernel received it. Prints "ready", and when its input ends
 * one JSON object with what it has received.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLICES = 40, STEP_NS = 5000000, BATCH = 64, DATAGRAM = 2048, BUFFER = 8192, WAV_HEADER = 44, RTP_HEADER = 12, CLOCK_RATE = 8000 };

struct stream {
    int socket, file;
    uint32_t ssrc, transit, jitter, used;
    uint16_t sequence;
    int begun;
    uint64_t received, lost, offset;
    uint8_t *buffer;
};

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static struct sockaddr_in sources[BATCH];
static uint8_t datagrams[BATCH][DATAGRAM];
static uint8_t controls[BATCH][64];
static uint64_t malformed;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t big32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return ntohl(value);
}

static void flush_buffer(struct stream *stream)
{
    if (stream->used && pwrite(stream->file, stream->buffer, stream->used, WAV_HEADER + stream->offset) < 0) die("pwrite");
    stream->offset += stream->used;
    stream->used = 0;
}

static void keep(struct stream *stream, const uint8_t *payload, uint32_t length)
{
    while (length) {
        uint32_t part = BUFFER - stream->used < length ? BUFFER - stream->used : length;
        memcpy(stream->buffer + stream->used, payload, part);
        stream->used += part;
        payload += part;
        length -= part;
        if (stream->used == BUFFER) flush_buffer(stream);
    }
}

/* RFC 3550: fixed header, contributing sources, extension, padding; sequence numbers (A.1) and jitter (A.8). */
static void take(struct stream *stream, const uint8_t *packet, int length, const struct timespec *at)
{
    if (length < RTP_HEADER || packet[0] >> 6 != 2) { malformed++; return; }
    int offset = RTP_HEADER + 4 * (packet[0] & 15);
    if (packet[0] & 16) {
        if (length < offset + 4) { malformed++; return; }
        offset += 4 + 4 * (packet[offset + 2] << 8 | packet[offset + 3]);
    }
    int payload = length - offset;
    if (payload > 0 && packet[0] & 32) payload -= packet[length - 1];
    if (payload < 0) { malformed++; return; }

    uint16_t sequence = packet[2] << 8 | packet[3];
    uint32_t arrival = (uint32_t)(at->tv_sec * CLOCK_RATE + at->tv_nsec / (1000000000 / CLOCK_RATE));
    uint32_t transit = arrival - big32(packet + 4);
    if (!stream->begun) {
        stream->begun = 1;
        stream->ssrc = big32(packet + 8);
    } else if (big32(packet + 8) != stream->ssrc) {
        malformed++;
        return;
    } else {
        int16_t ahead = (int16_t)(sequence - stream->sequence);
        int32_t difference = (int32_t)(transit - stream->transit);
        if (ahead > 1) stream->lost += ahead - 1;
        stream->jitter += (difference < 0 ? -difference : difference) - ((stream->jitter + 8) >> 4);
    }
    stream->sequence = sequence;
    stream->transit = transit;
    stream->received++;
    keep(stream, packet + offset, payload);
}

static const struct timespec *time_of(struct msghdr *header, const struct timespec *otherwise)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_TIMESTAMPNS) return (const struct timespec *)CMSG_DATA(control);
    }
    return otherwise;
}

static void visit(struct stream *stream, const struct timespec *now)
{
    int count;
    do {
        count = recvmmsg(stream->socket, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            take(stream, datagrams[i], messages[i].msg_len, time_of(&messages[i].msg_hdr, now));
            messages[i].msg_hdr.msg_namelen = sizeof sources[i];
            messages[i].msg_hdr.msg_controllen = sizeof controls[i];
        }
    } while (count == BATCH);
}

static void open_stream(struct stream *stream, const char *address, int port, const char *directory, int number)
{
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(port) };
    char path[512];
    int on = 1;
    if (inet_pton(AF_INET, address, &local.sin_addr) != 1) die(address);
    if ((stream->socket = socket(AF_INET, SOCK_DGRAM, 0)) < 0) die("socket");
    if (setsockopt(stream->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) die("SO_TIMESTAMPNS");
    if (bind(stream->socket, (struct sockaddr *)&local, sizeof local) < 0) die("bind");
    snprintf(path, sizeof path, "%s/%d.raw", directory, number);
    if ((stream->file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644)) < 0) die(path);
    if (!(stream->buffer = malloc(BUFFER))) die("malloc");
}

static int is_over(void)
{
    struct pollfd input = { .fd = 0, .events = POLLIN };
    char byte;
    return poll(&input, 1, 0) > 0 && read(0, &byte, 1) <= 0;
}

int main(int count, char **arguments)
{
    if (count != 5) { fprintf(stderr, "usage: limit ADDRESS FIRST_PORT STREAMS DIRECTORY\n"); return 2; }
    int first = atoi(arguments[2]), streams = atoi(arguments[3]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    struct stream *all = calloc(streams, sizeof *all);
    for (int i = 0; i < streams; i++) open_stream(&all[i], arguments[1], first + i, arguments[4], i);
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){ datagrams[i], DATAGRAM };
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = controls[i], .msg_controllen = sizeof controls[i] };
    }
    puts("ready");
    fflush(stdout);

    struct timespec next, now;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long turn = 0; turn % SLICES || !is_over(); turn++) {
        next.tv_nsec += STEP_NS;
        if (next.tv_nsec >= 1000000000) { next.tv_nsec -= 1000000000; next.tv_sec++; }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        clock_gettime(CLOCK_REALTIME, &now);
        long slice = turn % SLICES;
        for (long i = streams * slice / SLICES; i < streams * (slice + 1) / SLICES; i++) visit(&all[i], &now);
    }

    uint64_t received = 0, lost = 0;
    for (int i = 0; i < streams; i++) {
        flush_buffer(&all[i]);
        received += all[i].received;
        lost += all[i].lost;
    }
    printf("{\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"malformed\":%" PRIu64 "}\n", received, lost, malformed);
    return 0;
}
