// SPDX-License-Identifier: MIT OR Apache-2.0
//
// endpoint_bench ours|raw FOLDER PEERS EFFORT: a server in a process of its own, and clients.
// Prints what a handshake and a message cost the server in nanoseconds of the processor, the
// kernel's work for it included, and the bytes that it keeps for a peer. FOLDER has the server's
// ecdsa.crt and ecdsa.key; EFFORT is the least number of handshakes.
#include "load.h"
#include "servers.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace {

using namespace bench;

constexpr std::size_t warmUp = 64; // peers
constexpr std::size_t messagesPerHandshake = 64; // of the effort
constexpr std::size_t mostAtOnce = 64;

// Server and clients take turns on one processor, and neither interrupts the other: what the
// clients send in their turn waits when the server's begins, as it does for a server with much to
// do.
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
            "one processor for both");
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

class ServerProcess {
public:
    ServerProcess(bool ours, const std::string &folder, int socket)
        : process(fork())
    {
        if (process == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            (ours ? serveByEndpoint : serveByOpenssl)(socket, serverContext(folder));
        }
        require(process > 0 && clock_getcpuclockid(process, &clock) == 0, "the server's process");
    }
    ~ServerProcess()
    {
        kill(process, SIGTERM);
        waitpid(process, nullptr, 0);
    }

    double nanoseconds() const
    {
        usleep(2000); // it ends what it does
        timespec now {};
        clock_gettime(clock, &now);
        return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
    }

    double residentBytes() const
    {
        const std::string name = "/proc/" + std::to_string(process) + "/statm";
        std::size_t size = 0, resident = 0;
        FILE *file = std::fopen(name.c_str(), "r");
        require(file && std::fscanf(file, "%zu %zu", &size, &resident) == 2, name.c_str());
        std::fclose(file);
        return double(resident) * double(sysconf(_SC_PAGESIZE));
    }

private:
    pid_t process;
    clockid_t clock {};
};

void report(const char *name, std::size_t peers, double value)
{
    std::printf("endpoint/%s/%zu\t%.1f\n", name, peers, value);
}

// Handshakes, until at least `effort` were made, and then messages.
void measure(const ServerProcess &server, Load &load, std::size_t peers, std::size_t effort)
{
    const std::size_t rounds = (effort + peers - 1) / peers;
    const std::size_t atOnce = std::max<std::size_t>(1, mostAtOnce / peers);
    const std::size_t turns = messagesPerHandshake * effort / (peers * atOnce) + 1;
    const double resident = server.residentBytes(), start = server.nanoseconds();
    load.connect(peers);
    for (std::size_t round = 1; round < rounds; ++round) {
        load.close();
        load.connect(peers);
    }
    const double connected = server.nanoseconds();
    for (std::size_t turn = 0; turn < turns; ++turn)
        load.echo(atOnce);
    const double echoed = server.nanoseconds();
    const double kept = server.residentBytes() - resident;
    load.close();
    const double forHandshakes = connected - start + server.nanoseconds() - echoed;
    report("handshake", peers, forHandshakes / double(peers * rounds));
    report("message", peers, (echoed - connected) / double(peers * turns * atOnce));
    if (peers >= 1000)
        report("memory", peers, kept / double(peers));
}

} // namespace

int main(int argc, char **argv)
{
    require(argc == 5, "four arguments");
    const std::size_t peers = std::stoul(argv[3]), effort = std::stoul(argv[4]);
    shareOneProcessor();
    allowManySockets();
    sockaddr_in address {};
    const int socket = boundSocket(address);
    const ServerProcess server(std::strcmp(argv[1], "ours") == 0, argv[2], socket);
    close(socket);
    Load load(address);
    load.connect(warmUp);
    load.echo(1);
    load.close();
    measure(server, load, peers, effort);
    return 0;
}
