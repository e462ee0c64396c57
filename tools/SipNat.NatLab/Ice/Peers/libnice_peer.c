/* An ICE agent of another make (libnice), with the arguments and the output of `NatLab ice`. It restarts when the peer does. */
#include <arpa/inet.h>
#include <nice/agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPONENT 1
#define GLANCE_MS 5
#define MEDIA_INTERVAL_MS 20

static gchar *role = NULL, *folder = NULL, *bind_address = NULL, *stun = NULL, *turn = NULL, *user = NULL, *password = NULL;
static gdouble seconds = 2;

static GOptionEntry entries[] = {
    {"role", 0, 0, G_OPTION_ARG_STRING, &role, "controlling or controlled", NULL},
    {"exchange", 0, 0, G_OPTION_ARG_STRING, &folder, "folder of the descriptions", NULL},
    {"bind", 0, 0, G_OPTION_ARG_STRING, &bind_address, "address of the socket", NULL},
    {"stun", 0, 0, G_OPTION_ARG_STRING, &stun, "address:port", NULL},
    {"turn", 0, 0, G_OPTION_ARG_STRING, &turn, "address:port", NULL},
    {"user", 0, 0, G_OPTION_ARG_STRING, &user, "user name for TURN", NULL},
    {"password", 0, 0, G_OPTION_ARG_STRING, &password, "password for TURN", NULL},
    {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "how long media flow", NULL},
    {NULL}};

static NiceAgent *agent;
static GMainLoop *loop;
static guint stream;
static guint generation = 1;
static gboolean is_answered, is_connected;
static gint64 begun, last_received, longest_gap;
static guint sent, received;

static gchar *path_of(const gchar *side, guint number)
{
    return g_strdup_printf("%s/%s.%u.sdp", folder, side, number);
}

static const gchar *peer_role(void)
{
    return strcmp(role, "controlling") == 0 ? "controlled" : "controlling";
}

static void tell(void)
{
    gchar *ufrag = NULL, *pwd = NULL;
    nice_agent_get_local_credentials(agent, stream, &ufrag, &pwd);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "a=ice-ufrag:%s\na=ice-pwd:%s\n", ufrag, pwd);
    GSList *candidates = nice_agent_get_local_candidates(agent, stream, COMPONENT);
    for (GSList *item = candidates; item; item = item->next) {
        gchar *line = nice_agent_generate_local_candidate_sdp(agent, item->data);
        g_string_append_printf(text, "%s\n", line);
        g_free(line);
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    gchar *path = path_of(role, generation);
    gchar *draft = g_strconcat(path, ".draft", NULL);
    g_file_set_contents(draft, text->str, -1, NULL);
    rename(draft, path);
    g_free(draft);
    g_free(path);
    g_string_free(text, TRUE);
    g_free(ufrag);
    g_free(pwd);
}

static gboolean hear(guint number)
{
    gchar *path = path_of(peer_role(), number), *text = NULL;
    gboolean is_there = g_file_get_contents(path, &text, NULL, NULL);
    g_free(path);
    if (!is_there) return FALSE;

    gchar **lines = g_strsplit(text, "\n", -1), *ufrag = NULL, *pwd = NULL;
    GSList *candidates = NULL;
    for (gchar **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "a=ice-ufrag:")) ufrag = *line + strlen("a=ice-ufrag:");
        else if (g_str_has_prefix(*line, "a=ice-pwd:")) pwd = *line + strlen("a=ice-pwd:");
        else if (g_str_has_prefix(*line, "a=candidate:")) {
            NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(agent, stream, *line);
            if (candidate) candidates = g_slist_prepend(candidates, candidate);
        }
    }
    nice_agent_set_remote_credentials(agent, stream, ufrag, pwd);
    begun = g_get_monotonic_time();
    nice_agent_set_remote_candidates(agent, stream, COMPONENT, candidates);
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    g_strfreev(lines);
    g_free(text);
    return TRUE;
}

static gboolean glance(gpointer unused)
{
    if (!is_answered) {
        is_answered = hear(generation);
        return G_SOURCE_CONTINUE;
    }

    gchar *path = path_of(peer_role(), generation + 1);
    gboolean is_restart = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    if (is_restart) {
        generation++;
        nice_agent_restart(agent);
        hear(generation);
        tell();
    }
    return G_SOURCE_CONTINUE;
}

static gboolean send_media(gpointer unused)
{
    gchar packet[172] = {(gchar)0x80};
    if (is_connected && nice_agent_send(agent, stream, COMPONENT, sizeof packet, packet) > 0) sent++;
    return G_SOURCE_CONTINUE;
}

static gboolean stop(gpointer unused)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void on_gathered(NiceAgent *self, guint id, gpointer unused)
{
    tell();
    g_timeout_add(GLANCE_MS, glance, NULL);
}

static void on_state(NiceAgent *self, guint id, guint component, guint state, gpointer unused)
{
    double ms = (g_get_monotonic_time() - begun) / 1000.0;
    if (state == NICE_COMPONENT_STATE_READY) {
        NiceCandidate *local, *remote;
        static const gchar *types[] = {"host", "srflx", "prflx", "relay"};
        nice_agent_get_selected_pair(agent, stream, COMPONENT, &local, &remote);
        printf("{\"event\":\"connected\",\"ms\":%.1f,\"local\":\"%s\",\"remote\":\"%s\"}\n", ms, types[local->type], types[remote->type]);
        if (!is_connected) g_timeout_add((guint)(seconds * 1000), stop, NULL);
        is_connected = TRUE;
    } else if (state == NICE_COMPONENT_STATE_CONNECTED) {
        printf("{\"event\":\"path\",\"ms\":%.1f}\n", ms);
    } else if (state == NICE_COMPONENT_STATE_FAILED) {
        printf("{\"event\":\"failed\",\"ms\":%.1f}\n", ms);
    }
    fflush(stdout);
}

static void on_media(NiceAgent *self, guint id, guint component, guint length, gchar *bytes, gpointer unused)
{
    gint64 now = g_get_monotonic_time();
    if (received++ > 0 && now - last_received > longest_gap) longest_gap = now - last_received;
    last_received = now;
}

static void split(const gchar *text, gchar **host, guint *port)
{
    const gchar *colon = strrchr(text, ':');
    *host = g_strndup(text, colon - text);
    *port = (guint)atoi(colon + 1);
}

int main(int count, char **values)
{
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &count, &values, NULL) || !role || !folder) return 2;

    gchar *host;
    guint port;
    loop = g_main_loop_new(NULL, FALSE);
    agent = nice_agent_new_full(g_main_loop_get_context(loop), NICE_COMPATIBILITY_RFC5245, NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    g_object_set(agent, "controlling-mode", strcmp(role, "controlling") == 0, "ice-tcp", FALSE, "upnp", FALSE, NULL);
    if (stun) {
        split(stun, &host, &port);
        g_object_set(agent, "stun-server", host, "stun-server-port", port, NULL);
    }
    if (bind_address) {
        NiceAddress address;
        nice_address_init(&address);
        nice_address_set_from_string(&address, bind_address);
        nice_agent_add_local_address(agent, &address);
    }
    g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(on_gathered), NULL);
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(on_state), NULL);
    stream = nice_agent_add_stream(agent, 1);
    nice_agent_set_stream_name(agent, stream, "audio");
    if (turn) {
        split(turn, &host, &port);
        nice_agent_set_relay_info(agent, stream, COMPONENT, host, port, user, password, NICE_RELAY_TYPE_TURN_UDP);
    }
    nice_agent_attach_recv(agent, stream, COMPONENT, g_main_loop_get_context(loop), on_media, NULL);
    if (!nice_agent_gather_candidates(agent, stream)) return 1;
    g_timeout_add(MEDIA_INTERVAL_MS, send_media, NULL);
    g_main_loop_run(loop);
    printf("{\"event\":\"summary\",\"sent\":%u,\"received\":%u,\"longestGapMs\":%.1f}\n", sent, received, longest_gap / 1000.0);
    g_object_unref(agent);
    return 0;
}
