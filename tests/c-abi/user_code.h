// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls that run the program's code, each at the point before it.
#ifndef HARNESS_USER_CODE_H
#define HARNESS_USER_CODE_H

#include "pair.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace harness {

// What a call said: its status, how a read ended, and the cause.
struct Outcome {
    int status = QDTLS_STATUS_OK;
    int end = QDTLS_STATUS_OK;
    std::uint64_t code = 0;
    std::string reason;

    bool operator==(const Outcome &other) const
    {
        return status == other.status && end == other.end && code == other.code
            && reason == other.reason;
    }
};

std::ostream &operator<<(std::ostream &out, const Outcome &outcome);

// One pair at the point before the call.
struct Stage {
    std::unique_ptr<Pair> pair;
    Endpoint *side = nullptr;
    Bytes datagram;
};

using Hook = std::function<void()>;

// A call, and the callback of it that runs a hook.
struct Scene {
    const char *name;
    Stage (*prepare)();
    void (*hook)(Endpoint &, const Hook &);
    Outcome (*call)(Stage &);
};

const std::vector<Scene> &scenes();

// Those of the scenes, which no action changes.
const Contexts &contexts();

// Puts a logger in place that runs the hook, or removes it.
void setLogHook(const Hook &action);

} // namespace harness

#endif
