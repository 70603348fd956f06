// The limit of fan-out: one thread that does nothing but send() the same frame to every connection at a fixed rate.
//
//   rawsend PORT PAYLOAD_BYTES HZ
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PEERS = 4096, LISTENER = PEERS, TIMER = PEERS + 1 };

typedef struct {
    int fd;
    size_t sent; // of the frame under way; equal to its size when idle
} Peer;

static Peer peers[PEERS];
static uint8_t *frame;
static size_t frame_size, header_size;

static void go_on(Peer *peer) {
    while (peer->fd >= 0 && peer->sent < frame_size) {
        ssize_t done = send(peer->fd, frame + peer->sent, frame_size - peer->sent, 0);
        if (done > 0) {
            peer->sent += (size_t)done;
        } else {
            if (errno != EAGAIN) {
                close(peer->fd);
                peer->fd = -1;
            }
            return;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    signal(SIGPIPE, SIG_IGN);
    size_t payload = strtoul(argv[2], 0, 10);
    frame = calloc(1, payload + 10);
    frame[0] = 0x82;
    if (payload < 126) {
        frame[1] = (uint8_t)payload;
        header_size = 2;
    } else if (payload < 65536) {
        frame[1] = 126;
        frame[2] = (uint8_t)(payload >> 8);
        frame[3] = (uint8_t)payload;
        header_size = 4;
    } else {
        frame[1] = 127;
        for (int i = 0; i < 8; i++) frame[2 + i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
        header_size = 10;
    }
    frame_size = header_size + payload;

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, count = 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048)) {
        perror("listen");
        return 1;
    }
    int poll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    long period = (long)(1e9 / atof(argv[3]));
    struct timespec step = {period / 1000000000L, period % 1000000000L};
    struct itimerspec every = {step, step};
    timerfd_settime(timer, 0, &every, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = LISTENER};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    event.data.u32 = TIMER;
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        struct epoll_event events[512];
        int ready = epoll_wait(poll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            uint32_t who = events[i].data.u32;
            if (who == LISTENER) {
                int fd;
                while (count < PEERS && (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    peers[count] = (Peer){fd, frame_size};
                    event = (struct epoll_event){.events = EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)count++};
                    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
                }
            } else if (who == TIMER) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0) continue;
                struct timespec t;
                clock_gettime(CLOCK_MONOTONIC, &t);
                uint64_t now = (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
                memcpy(frame + header_size, &now, sizeof now);
                for (int k = 0; k < count; k++) {
                    if (peers[k].sent < frame_size) continue; // still busy with the last one
                    peers[k].sent = 0;
                    go_on(&peers[k]);
                }
            } else {
                go_on(&peers[who]);
            }
        }
    }
}
