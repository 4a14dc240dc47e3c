/*
 * A frontend of Xen's virtual TPM (protocol version 2) as a program, which breaks the protocol's rules on demand. It runs in a
 * guest in the place of the kernel's driver and carries out the steps that its arguments name:
 *
 *   connect            close what an earlier connection left, offer a page and an event channel as device/vtpm/0, wait until
 *                      the backend is connected
 *   set KEY VALUE      write a node of device/vtpm/0, such as state
 *   wait STATE         wait until the backend's state is STATE
 *   command HEX        send a TPM command by the rules, print the response
 *   header HEX         write bytes to the start of the page and notify the backend
 *   answer             wait until the page is not submitted any more, print its header and the response's, which is
 *                      behind the references of extra pages
 *   garbage N          N times: fill the page with noise, mark it as submitted, notify
 *   flood N            N notifications in a row
 *   race HEX N         N times: submit a TPM command and change length, state and packet while the backend works on it
 *   sleep MS
 *
 * Waiting ends after 30 seconds with exit status 2. Layouts are those of Linux's xen/{gntalloc,evtchn}.h, of Xen's
 * io/{tpmif,xs_wire}.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, XS_READ = 2, XS_WRITE = 11, XS_ERROR = 16, SUBMIT = 1, SECONDS = 30 };

struct tpmif {
    volatile uint32_t length;
    volatile uint8_t state, locality, pad, extra_pages;
    volatile uint8_t packet[PAGE - 8];
};

static struct tpmif *page;
static int events, store;
static uint32_t port, grant;
static uint32_t noise = 2463534242u;

static void die(const char *what) {
    fprintf(stderr, "frontend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void nap(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static uint32_t next_noise(void) {
    noise ^= noise << 13;
    noise ^= noise >> 17;
    noise ^= noise << 5;
    return noise;
}

static void read_fully(void *to, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t got = read(store, (char *)to + done, count - done);
        if (got <= 0) die("read from xenstore");
        done += got;
    }
}

/* One request to xenstore; the reply's length, or -1 if xenstore refuses. */
static int xenstore(uint32_t type, const char *path, const char *value, char reply[PAGE]) {
    struct { uint32_t type, request, transaction, length; } header = {type, 0, 0, 0};
    char message[sizeof header + PAGE];
    size_t length = strlen(path) + 1, value_length = value ? strlen(value) : 0;
    memcpy(message + sizeof header, path, length);
    if (value) memcpy(message + sizeof header + length, value, value_length);
    header.length = length + value_length;
    memcpy(message, &header, sizeof header);
    if (write(store, message, sizeof header + header.length) < 0) return -1;
    read_fully(&header, sizeof header);
    if (header.length >= PAGE) die("reply of xenstore");
    read_fully(reply, header.length);
    reply[header.length] = 0;
    return header.type == XS_ERROR ? -1 : (int)header.length;
}

static void set(const char *key, const char *value) {
    char path[256], reply[PAGE];
    snprintf(path, sizeof path, "device/vtpm/0/%s", key);
    if (xenstore(XS_WRITE, path, value, reply) < 0) die(path);
}

static void set_number(const char *key, uint32_t value) {
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    set(key, text);
}

static int backend_state(void) {
    char backend[PAGE], path[PAGE + 16], state[PAGE];
    if (xenstore(XS_READ, "device/vtpm/0/backend", NULL, backend) < 0) return 0;
    snprintf(path, sizeof path, "%s/state", backend);
    return xenstore(XS_READ, path, NULL, state) < 0 ? 0 : atoi(state);
}

static void wait_for_backend(int state) {
    for (time_t end = time(NULL) + SECONDS; backend_state() != state;) {
        if (time(NULL) > end) {
            fprintf(stderr, "frontend: the backend's state is %d, not %d\n", backend_state(), state);
            exit(2);
        }
        nap(100);
    }
}

static void notify(void) {
    if (ioctl(events, _IOC(_IOC_NONE, 'E', 4, 4), &port) < 0) die("notify");
}

static void allocate(void) {
    struct { uint16_t domain, flags; uint32_t count; uint64_t index; uint32_t grant; } request = {0, 1, 1, 0, 0};
    int grants = open("/dev/xen/gntalloc", O_RDWR);
    if (grants < 0) die("/dev/xen/gntalloc");
    if (ioctl(grants, _IOC(_IOC_NONE, 'G', 5, 24), &request) < 0) die("grant a page to domain 0");
    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, grants, request.index);
    if (page == MAP_FAILED) die("map the granted page");
    memset(page, 0, PAGE);
    grant = request.grant;
    uint32_t domain = 0;
    int bound = ioctl(events, _IOC(_IOC_NONE, 'E', 2, 4), &domain);
    if (bound < 0) die("event channel to domain 0");
    port = bound;
}

static void connect_backend(void) {
    if (backend_state() > 2) {
        set("state", "5");
        set("state", "6");
    }
    wait_for_backend(2);
    if (!page) allocate();
    set_number("ring-ref", grant);
    set_number("event-channel", port);
    set("feature-protocol-v2", "1");
    set("state", "3");
    wait_for_backend(4);
    set("state", "4");
}

static size_t bytes(const char *hex, uint8_t *to, size_t limit) {
    size_t count = 0;
    for (; hex[0] && hex[1] && count < limit; hex += 2) {
        unsigned value;
        if (sscanf(hex, "%2x", &value) != 1) break;
        to[count++] = value;
    }
    if (*hex) {
        fprintf(stderr, "frontend: not hexadecimal, or too long: %s\n", hex);
        exit(1);
    }
    return count;
}

static void submit(const uint8_t *command, size_t length) {
    for (size_t i = 0; i < length; i++) page->packet[i] = command[i];
    page->length = length;
    page->locality = page->extra_pages = 0;
    __sync_synchronize();
    page->state = SUBMIT;
    __sync_synchronize();
    notify();
}

static void await(void) {
    for (time_t end = time(NULL) + SECONDS; page->state == SUBMIT;) {
        if (time(NULL) > end) {
            fprintf(stderr, "frontend: no answer\n");
            exit(2);
        }
        nap(10);
    }
    __sync_synchronize();
}

static void print(const volatile uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) printf("%02x", data[i]);
    printf("\n");
    fflush(stdout);
}

static void command(const char *hex) {
    uint8_t command[PAGE - 8];
    submit(command, bytes(hex, command, sizeof command));
    await();
    print(page->packet, page->length <= PAGE - 8 ? page->length : 0);
}

static void answer(void) {
    uint8_t headers[8 + 10];
    await();
    for (int i = 0; i < 8; i++) headers[i] = ((volatile uint8_t *)page)[i];
    for (int i = 0; i < 10; i++) headers[8 + i] = page->packet[4 * page->extra_pages + i];
    print(headers, sizeof headers);
}

static void garbage(int count) {
    while (count-- > 0) {
        for (int i = 0; i < PAGE / 4; i++) ((volatile uint32_t *)page)[i] = next_noise();
        /* Every other time a length that fits, which gets noise past the first check. */
        if (count % 2) page->length = next_noise() % PAGE;
        if (count % 4 == 1) page->extra_pages = 0;
        page->state = SUBMIT;
        __sync_synchronize();
        notify();
        nap(next_noise() % 20);
    }
}

static void race(const char *hex, int count) {
    static const uint32_t lengths[] = {0, 9, 11, 4088, 4089, 0x7fffffff, 0xffffffff};
    uint8_t command[PAGE - 8];
    size_t length = bytes(hex, command, sizeof command);
    while (count-- > 0) {
        submit(command, length);
        for (int turn = 0; turn < 200; turn++) {
            page->length = lengths[next_noise() % (sizeof lengths / sizeof *lengths)];
            page->packet[next_noise() % 10] = next_noise();
            if (turn % 50 == 0) page->state = next_noise() % 5;
        }
    }
}

static void flood(int count) {
    while (count-- > 0) notify();
}

/* Carries out the first of the steps; how many arguments it took. */
static int step(int count, char **steps) {
    const char *name = steps[0], *one = count > 1 ? steps[1] : "", *two = count > 2 ? steps[2] : "";
    if (strcmp(name, "connect") == 0) return connect_backend(), 1;
    if (strcmp(name, "set") == 0) return set(one, two), 3;
    if (strcmp(name, "wait") == 0) return wait_for_backend(atoi(one)), 2;
    if (strcmp(name, "sleep") == 0) return nap(atol(one)), 2;
    if (!page) {
        fprintf(stderr, "frontend: not connected, for: %s\n", name);
        exit(1);
    }
    if (strcmp(name, "command") == 0) return command(one), 2;
    if (strcmp(name, "header") == 0) return bytes(one, (uint8_t *)page, PAGE), notify(), 2;
    if (strcmp(name, "answer") == 0) return answer(), 1;
    if (strcmp(name, "garbage") == 0) return garbage(atoi(one)), 2;
    if (strcmp(name, "flood") == 0) return flood(atoi(one)), 2;
    if (strcmp(name, "race") == 0) return race(one, atoi(two)), 3;
    fprintf(stderr, "frontend: no such step: %s\n", name);
    exit(1);
}

int main(int count, char **arguments) {
    store = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
    events = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
    if (store < 0 || events < 0) die("/dev/xen/xenbus and /dev/xen/evtchn");
    for (int next = 1; next < count;) next += step(count - next, arguments + next);
    return 0;
}
