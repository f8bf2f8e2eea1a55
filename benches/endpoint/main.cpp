// SPDX-License-Identifier: MIT OR Apache-2.0
//
// endpoint_bench FOLDER PEERS EFFORT: two servers, each in a process of its own, and their clients.
// Prints, with the name of the server, what a handshake and a message cost it in nanoseconds of the
// processor, the kernel's work for it included, and the bytes that it keeps for a peer. FOLDER has
// the servers' ecdsa.crt and ecdsa.key; EFFORT is the least number of handshakes.
//
// The servers take short turns: what else the machine does meets both alike.
#include "child.h"
#include "clients.h"
#include "servers.h"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace {

using namespace bench;

constexpr std::size_t warmUp = 64; // peers
constexpr std::size_t messagesPerHandshake = 64; // of the effort
constexpr std::size_t mostAtOnce = 64;
constexpr std::size_t clientsInTurn = 64, messagesInTurn = 1024;

// Servers and clients share one processor, and none interrupts another: what the clients send waits
// when the server's time begins, as it does for a server with much to do.
void shareOneProcessor()
{
    cpu_set_t allowed;
    require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &allowed))
        --last;
    CPU_ZERO(&allowed);
    CPU_SET(last, &allowed);
    const sched_param none {};
    require(sched_setaffinity(0, sizeof allowed, &allowed) == 0
                && sched_setscheduler(0, SCHED_BATCH, &none) == 0,
            "one processor for all");
}

void allowManySockets()
{
    rlimit limit {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int boundSocket(sockaddr_in &address)
{
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    socklen_t length = sizeof address;
    require(bind(descriptor, generic, length) == 0
                && getsockname(descriptor, generic, &length) == 0,
            "the server's socket");
    return descriptor;
}

SSL_CTX *serverContext(const std::string &folder)
{
    SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    const std::string certificate = folder + "/ecdsa.crt", key = folder + "/ecdsa.key";
    require(SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES256-GCM-SHA384") == 1
                && SSL_CTX_use_certificate_file(context, certificate.c_str(), SSL_FILETYPE_PEM) == 1
                && SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1,
            "the server's certificate");
    return context;
}

using Serve = void (*)(int socket, SSL_CTX *context);

class ServerProcess {
public:
    ServerProcess(Serve serve, const std::string &folder)
        : socket(boundSocket(address))
        , child([&] { serve(socket, serverContext(folder)); })
    {
        ::close(socket);
        require(clock_getcpuclockid(child.id, &clock) == 0, "the server's clock");
    }

    const sockaddr_in &socketAddress() const { return address; }

    double nanoseconds() const
    {
        usleep(2000); // it ends what it does
        timespec now {};
        clock_gettime(clock, &now);
        return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
    }

    double residentBytes() const
    {
        const std::string name = "/proc/" + std::to_string(child.id) + "/statm";
        std::size_t size = 0, resident = 0;
        FILE *file = std::fopen(name.c_str(), "r");
        require(file && std::fscanf(file, "%zu %zu", &size, &resident) == 2, name.c_str());
        std::fclose(file);
        return double(resident) * double(sysconf(_SC_PAGESIZE));
    }

private:
    sockaddr_in address {};
    const int socket;
    const Child child;
    clockid_t clock {};
};

// A server with its clients, and what it has used so far.
class Subject {
public:
    Subject(const char *ofServer, Serve serve, const std::string &folder)
        : name(ofServer)
        , server(serve, folder)
        , clients(server.socketAddress())
    {
    }

    // The processor's time and the memory that it has used since the last call.
    double nanoseconds()
    {
        const double now = server.nanoseconds(), before = std::exchange(lastTime, now);
        return now - before;
    }
    double bytes()
    {
        const double now = server.residentBytes(), before = std::exchange(lastBytes, now);
        return now - before;
    }
    void report(const char *what, std::size_t peers, double value) const
    {
        std::printf("%s\tendpoint/%s/%zu\t%.1f\n", name, what, peers, value);
    }

private:
    const char *const name;
    const ServerProcess server;
    double lastTime = 0, lastBytes = 0;

public:
    Clients clients;
    double forHandshakes = 0, forMessages = 0, forPeers = 0;
};

using Subjects = std::array<Subject, 2>;

// The other one begins in the next turn.
template <typename Step> void takeTurns(Subjects &subjects, std::size_t turns, const Step &step)
{
    for (std::size_t turn = 0; turn < turns; ++turn) {
        for (std::size_t i = 0; i < subjects.size(); ++i)
            step(subjects[(turn + i) % subjects.size()].clients, turn);
    }
}

std::size_t roundedUp(std::size_t number, std::size_t divisor)
{
    return (number + divisor - 1) / divisor;
}

void connect(Subjects &subjects, std::size_t peers)
{
    takeTurns(subjects, roundedUp(peers, clientsInTurn), [&](Clients &clients, std::size_t turn) {
        clients.connect(std::min(peers, (turn + 1) * clientsInTurn));
    });
}

void close(Subjects &subjects)
{
    takeTurns(subjects, 1, [](Clients &clients, std::size_t) { clients.close(); });
}

// Handshakes, until at least `effort` were made, and then messages.
void measure(Subjects &subjects, std::size_t peers, std::size_t effort)
{
    const std::size_t rounds = roundedUp(effort, peers);
    const std::size_t atOnce = std::max<std::size_t>(1, mostAtOnce / peers);
    const std::size_t inTurn = roundedUp(messagesInTurn, peers * atOnce);
    const std::size_t turns = roundedUp(messagesPerHandshake * effort, peers * atOnce * inTurn);
    for (Subject &subject : subjects)
        subject.nanoseconds(), subject.bytes();
    connect(subjects, peers);
    for (std::size_t round = 1; round < rounds; ++round) {
        close(subjects);
        connect(subjects, peers);
    }
    for (Subject &subject : subjects)
        subject.forHandshakes = subject.nanoseconds();
    takeTurns(subjects, turns, [&](Clients &clients, std::size_t) {
        for (std::size_t i = 0; i < inTurn; ++i)
            clients.echo(atOnce);
    });
    for (Subject &subject : subjects)
        subject.forMessages = subject.nanoseconds(), subject.forPeers = subject.bytes();
    close(subjects);
    for (Subject &subject : subjects) {
        subject.forHandshakes += subject.nanoseconds();
        subject.report("handshake", peers, subject.forHandshakes / double(peers * rounds));
        subject.report("message", peers,
                       subject.forMessages / double(peers * atOnce * inTurn * turns));
        if (peers >= 1000)
            subject.report("memory", peers, subject.forPeers / double(peers));
    }
}

} // namespace

int main(int argc, char **argv)
{
    require(argc == 4, "three arguments");
    const std::size_t peers = std::stoul(argv[2]), effort = std::stoul(argv[3]);
    shareOneProcessor();
    allowManySockets();
    Subjects subjects { Subject("ours", serveByEndpoint, argv[1]),
                        Subject("raw", serveByOpenssl, argv[1]) };
    connect(subjects, warmUp);
    for (Subject &subject : subjects)
        subject.clients.echo(1);
    close(subjects);
    measure(subjects, peers, effort);
    return 0;
}
