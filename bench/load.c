// A load client for the benchmarks: many WebSocket connections in one thread, cheap enough not to be the bottleneck.
//
//   load PORT CLIENTS WARM_S MEASURE_S MODE PATH [west south east north]
//
// MODE raw    no handshake: the peer sends frames at once (the limit measured by rawsend.c)
//      mono   the payload starts with CLOCK_MONOTONIC nanoseconds
//      text   as mono, in decimal after the first digit-free prefix (for servers that send text)
//      feed   the product's feed: says hello with a random view of a twentieth of the extent, and reads the time at
//             which each position was sent from heading and speed (see pipeline.py); every 64th client is sampled
//
// Prints "measuring" when the warm-up is over, and one JSON line at the end.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEPT = 64, SAMPLES = 2000000, SLOTS = 256 * 254, HEAD = 24, RECORD = 16 };

typedef struct {
    int fd, opcode, header_bytes, sampled;
    uint8_t header[10];
    uint64_t left, size, filled;
    uint8_t *payload;
} Client;

static int measuring, feed_mode, text_mode;
static uint64_t frames, bytes, records;
static float *latency;
static size_t latencies;

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void note(double ms) {
    if (latencies < SAMPLES) latency[latencies++] = (float)ms;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void say(int fd, int opcode, const char *text, size_t size) {
    uint8_t frame[1100];
    size_t at = 0;
    frame[at++] = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        frame[at++] = (uint8_t)(0x80 | size);
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(size >> 8);
        frame[at++] = (uint8_t)size;
    }
    memset(frame + at, 0, 4); // a mask of zeros is a mask
    at += 4;
    memcpy(frame + at, text, size);
    if (write(fd, frame, at + size) < 0) die("write");
}

static void finish(Client *client) {
    if (client->opcode == 9) {
        say(client->fd, 10, (const char *)client->payload, client->filled);
        return;
    }
    if (!measuring || client->opcode > 2) return;
    if (feed_mode && client->opcode != 2) return;
    frames++;
    bytes += client->size;
    if (feed_mode) {
        if (!client->sampled || client->size < HEAD || client->payload[3] & 1) return;
        uint64_t now = nanoseconds(CLOCK_REALTIME) / 4000000ull % SLOTS;
        for (uint64_t at = HEAD; at + RECORD <= client->size; at += RECORD) {
            uint64_t sent = client->payload[at + 12] * 254ull + client->payload[at + 13];
            note((double)((now + SLOTS - sent) % SLOTS) * 4.0);
            records++;
        }
    } else if (text_mode) {
        size_t at = 0;
        while (at < client->filled && (client->payload[at] < '0' || client->payload[at] > '9')) at++;
        char digits[32] = {0};
        memcpy(digits, client->payload + at, client->filled - at < 31 ? client->filled - at : 31);
        note((double)(nanoseconds(CLOCK_MONOTONIC) - strtoull(digits, 0, 10)) / 1e6);
    } else if (client->filled >= 8) {
        uint64_t sent;
        memcpy(&sent, client->payload, 8);
        note((double)(nanoseconds(CLOCK_MONOTONIC) - sent) / 1e6);
    }
}

static void consume(Client *client, const uint8_t *data, size_t size) {
    size_t at = 0;
    while (at < size) {
        if (client->left == 0) {
            client->header[client->header_bytes++] = data[at++];
            int length = client->header_bytes > 1 ? client->header[1] & 127 : 0;
            int need = length == 126 ? 4 : length == 127 ? 10 : 2;
            if (client->header_bytes < need) continue;
            uint64_t total = (uint64_t)length;
            if (need > 2) {
                total = 0;
                for (int i = 2; i < need; i++) total = total << 8 | client->header[i];
            }
            client->opcode = client->header[0] & 15;
            client->size = client->left = total;
            client->filled = 0;
            client->header_bytes = 0;
            if (client->sampled) {
                client->payload = realloc(client->payload, total + KEPT);
                if (!client->payload) die("realloc");
            }
            if (total == 0) finish(client);
            continue;
        }
        uint64_t part = size - at < client->left ? size - at : client->left;
        uint64_t room = client->sampled ? part : client->filled < KEPT ? KEPT - client->filled : 0;
        uint64_t keep = part < room ? part : room;
        memcpy(client->payload + client->filled, data + at, keep);
        client->filled += keep;
        client->left -= part;
        at += part;
        if (client->left == 0) finish(client);
    }
}

static void handshake(int fd, int port, const char *path) {
    char request[512], answer[4096];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: eWlwaW5nIGJlbmNoIDAwMQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Cookie: session=bench\r\n\r\n",
                        path, port);
    if (write(fd, request, (size_t)size) != size) die("write");
    int got = 0;
    while (got < 4095 && !(got >= 4 && !memcmp(answer + got - 4, "\r\n\r\n", 4))) {
        if (read(fd, answer + got, 1) != 1) die("handshake");
        got++;
    }
    if (strncmp(answer, "HTTP/1.1 101", 12)) {
        answer[got] = 0;
        fprintf(stderr, "no upgrade: %s\n", answer);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    int port = atoi(argv[1]), count = atoi(argv[2]);
    double warm = atof(argv[3]), measure = atof(argv[4]);
    const char *mode = argv[5], *path = argv[6];
    feed_mode = !strcmp(mode, "feed");
    text_mode = !strcmp(mode, "text");
    double west = 0, south = 0, east = 0, north = 0;
    if (feed_mode && argc >= 11)
        west = atof(argv[7]), south = atof(argv[8]), east = atof(argv[9]), north = atof(argv[10]);
    latency = malloc(SAMPLES * sizeof *latency);
    Client *clients = calloc((size_t)count, sizeof *clients);
    static uint8_t buffer[1 << 18];
    int poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    srandom(7);
    for (int i = 0; i < count; i++) {
        Client *client = &clients[i];
        client->payload = malloc(KEPT);
        client->sampled = feed_mode && i % 64 == 63;
        client->fd = socket(AF_INET, SOCK_STREAM, 0);
        int on = 1;
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (int tries = 0; connect(client->fd, (struct sockaddr *)&address, sizeof address); tries++) {
            if (tries > 250) die("connect");
            usleep(20000);
        }
        if (strcmp(mode, "raw")) handshake(client->fd, port, path);
        if (feed_mode) {
            double share = sqrt(0.05), width = (east - west) * share, height = (north - south) * share;
            double x = west + (east - west - width) * (double)random() / RAND_MAX;
            double y = south + (north - south - height) * (double)random() / RAND_MAX;
            char hello[400];
            int size = snprintf(hello, sizeof hello,
                                "{\"type\":\"hello\",\"protocol\":1,\"page\":\"wall\",\"topics\":[\"incidents\","
                                "\"telemetry\"],\"bbox\":[%.6f,%.6f,%.6f,%.6f]}",
                                x, y, x + width, y + height);
            say(client->fd, 1, hello, (size_t)size);
        }
        fcntl(client->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(poll, EPOLL_CTL_ADD, client->fd, &event);
    }
    uint64_t begin = nanoseconds(CLOCK_MONOTONIC) + (uint64_t)(warm * 1e9);
    uint64_t end = begin + (uint64_t)(measure * 1e9), now;
    int closed = 0;
    while ((now = nanoseconds(CLOCK_MONOTONIC)) < end) {
        if (!measuring && now >= begin) {
            measuring = 1;
            puts("measuring");
            fflush(stdout);
        }
        struct epoll_event events[512];
        int ready = epoll_wait(poll, events, 512, 10);
        for (int i = 0; i < ready; i++) {
            Client *client = events[i].data.ptr;
            ssize_t got = read(client->fd, buffer, sizeof buffer);
            if (got > 0) {
                consume(client, buffer, (size_t)got);
            } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                epoll_ctl(poll, EPOLL_CTL_DEL, client->fd, 0);
                closed++;
            }
        }
    }
    qsort(latency, latencies, sizeof *latency, by_value);
    printf("{\"frames\":%lu,\"bytes\":%lu,\"records\":%lu,\"closed\":%d,\"seconds\":%.3f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"samples\":%zu}\n",
           frames, bytes, records, closed, measure, latencies ? latency[latencies / 2] : -1.0,
           latencies ? latency[(size_t)((double)latencies * 0.99)] : -1.0,
           latencies ? latency[latencies - 1] : -1.0, latencies);
    return 0;
}
