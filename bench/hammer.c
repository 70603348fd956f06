// An HTTP load client for the benchmarks: the same requests over and over on keep-alive connections.
//
//   hammer PORT CONNECTIONS WARM_S MEASURE_S < requests
//
// Requests are separated by zero bytes and taken in turn.
//
// Prints "measuring" when the warm-up is over, and one JSON line at the end. Answers must carry Content-Length or be
// 204, and every one must be a success.
#define _GNU_SOURCE
#include <arpa/inet.h>
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

typedef struct {
    int fd;
    size_t filled;
    char answer[4096];
} Connection;

enum { REQUESTS = 4096 };
static char requests[8 << 20];
static char *request[REQUESTS];
static size_t request_size[REQUESTS], request_count, turn;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *why) {
    fprintf(stderr, "hammer: %s\n", why);
    exit(1);
}

static void ask(Connection *connection) {
    connection->filled = 0;
    size_t size = request_size[turn];
    if (write(connection->fd, request[turn], size) != (ssize_t)size) fail("cannot send");
    turn = (turn + 1) % request_count;
}

static int complete(Connection *connection) {
    connection->answer[connection->filled] = 0;
    char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end) return 0;
    if (strncmp(connection->answer + 9, "20", 2)) fail(connection->answer);
    char *length = strcasestr(connection->answer, "content-length:");
    size_t body = length && length < end ? strtoul(length + 15, 0, 10) : 0;
    return connection->filled >= (size_t)(end + 4 - connection->answer) + body;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    size_t size = fread(requests, 1, sizeof requests - 1, stdin);
    for (size_t at = 0; at < size && request_count < REQUESTS; at += request_size[request_count++] + 1) {
        request[request_count] = requests + at;
        request_size[request_count] = strlen(requests + at);
    }
    if (!request_count) fail("no request");
    int count = atoi(argv[2]), poll = epoll_create1(0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Connection *connections = calloc((size_t)count, sizeof *connections);
    for (int i = 0; i < count; i++) {
        connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(connections[i].fd, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
        ask(&connections[i]);
    }
    double begin = seconds() + atof(argv[3]), end = begin + atof(argv[4]), now;
    unsigned long done = 0;
    int measuring = 0;
    while ((now = seconds()) < end) {
        if (!measuring && now >= begin) {
            measuring = 1;
            puts("measuring");
            fflush(stdout);
        }
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 10);
        for (int i = 0; i < ready; i++) {
            Connection *connection = events[i].data.ptr;
            ssize_t got = read(connection->fd, connection->answer + connection->filled,
                               sizeof connection->answer - 1 - connection->filled);
            if (got <= 0) fail("connection lost");
            connection->filled += (size_t)got;
            if (complete(connection)) {
                done += (unsigned long)measuring;
                ask(connection);
            }
        }
    }
    printf("{\"requests\":%lu,\"seconds\":%s}\n", done, argv[4]);
    return 0;
}
