// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Qt's test server, as a name of this machine. Its services are missing, so that tests which need
// them fail at once. And a function that Qt exports in a developer build only.

#include <cstring>
#include <dlfcn.h>
#include <netdb.h>

extern "C" int getaddrinfo(const char *node, const char *service, const addrinfo *hints,
                           addrinfo **result)
{
    static const auto lookUp =
        reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    const bool isTestServer = node && std::strstr(node, "qt-test-server");
    return lookUp(isTestServer ? "127.0.0.1" : node, service, hints, result);
}

// Names that were looked up may stay known.
void qt_qhostinfo_clear_cache() { }
