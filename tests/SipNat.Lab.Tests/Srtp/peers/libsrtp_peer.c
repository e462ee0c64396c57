/*
 * Protects and unprotects with libsrtp what it is told to on standard input, and answers each line with one line.
 *
 *   key SUITE KEY-AND-SALT [MKI]       "ok": forgets the former key; bytes are hexadecimal
 *   protect rtp|rtcp PACKET            the protected packet
 *   unprotect rtp|rtcp PACKET          the packet, or "error N" with libsrtp's status
 */
#include "libsrtp_suites.h"
#include <stdio.h>

#define MAX_PACKET 8192
#define MAX_LINE (2 * MAX_PACKET + 256)

static srtp_t sender, receiver;
static int has_mki;

static int read_hex(const char *text, unsigned char *bytes, int room)
{
    int length = 0;
    unsigned value;

    for (; length < room && sscanf(text, "%2x", &value) == 1; text += 2) bytes[length++] = (unsigned char)value;
    return length;
}

static void print_hex(const unsigned char *bytes, int length)
{
    for (int i = 0; i < length; i++) printf("%02x", bytes[i]);
    printf("\n");
}

static int use_key(const char *suite, const char *key, const char *mki)
{
    unsigned char bytes[MAX_KEY] = { 0 }, mki_bytes[SRTP_MAX_MKI_LEN];
    srtp_master_key_t master = { bytes, mki_bytes, 0 };
    srtp_master_key_t *masters[] = { &master };
    srtp_policy_t policy = { 0 };

    read_hex(key, bytes, sizeof bytes);
    if (choose_suite(suite, &policy) == 0) return 0;

    has_mki = mki != NULL;
    if (has_mki) {
        master.mki_size = read_hex(mki, mki_bytes, sizeof mki_bytes);
        policy.keys = masters;
        policy.num_master_keys = 1;
    } else {
        policy.key = bytes;
    }

    policy.window_size = 128;
    if (sender) srtp_dealloc(sender);
    if (receiver) srtp_dealloc(receiver);
    sender = receiver = NULL;
    policy.ssrc.type = ssrc_any_outbound;
    if (srtp_create(&sender, &policy) != srtp_err_status_ok) return 0;

    policy.ssrc.type = ssrc_any_inbound;
    return srtp_create(&receiver, &policy) == srtp_err_status_ok;
}

static void work(int protect, int control, const char *packet)
{
    unsigned char bytes[MAX_PACKET + SRTP_MAX_TRAILER_LEN + SRTP_MAX_MKI_LEN];
    int length = read_hex(packet, bytes, MAX_PACKET);
    srtp_err_status_t status;

    if (protect) {
        status = control ? srtp_protect_rtcp_mki(sender, bytes, &length, has_mki, 0) : srtp_protect_mki(sender, bytes, &length, has_mki, 0);
    } else {
        status = control ? srtp_unprotect_rtcp_mki(receiver, bytes, &length, has_mki) : srtp_unprotect_mki(receiver, bytes, &length, has_mki);
    }

    if (status == srtp_err_status_ok) print_hex(bytes, length);
    else printf("error %d\n", status);
}

int main(void)
{
    static char line[MAX_LINE];

    if (srtp_init() != srtp_err_status_ok) return 1;

    while (fgets(line, sizeof line, stdin)) {
        char *verb = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n"), *third = strtok(NULL, " \n");

        if (verb == NULL || first == NULL || second == NULL) return 2;
        if (strcmp(verb, "key") == 0) printf(use_key(first, second, third) ? "ok\n" : "error\n");
        else work(strcmp(verb, "protect") == 0, strcmp(first, "rtcp") == 0, second);
        fflush(stdout);
    }

    return 0;
}
