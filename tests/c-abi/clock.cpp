// SPDX-License-Identifier: MIT OR Apache-2.0
// F11: the system's clock is set during a handshake.
#include "clock.h"
#include "cases.h"
#include "pair.h"

#include <atomic>
#ifdef _WIN32
#include <windows.h>
#else
#include <ctime>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#endif

static constexpr std::int64_t second = 1000000;

static std::atomic<std::int64_t> microsecondsSince1970 { 1800000000 * second };

// Takes the place of the system's function, also for OpenSSL.
#ifdef _WIN32
static void WINAPI tellSystemTime(SYSTEMTIME *now)
{
    const std::int64_t from1601 = 11644473600 * second;
    const ULONGLONG hundredNanoseconds = ULONGLONG(10 * (microsecondsSince1970 + from1601));
    const FILETIME time { DWORD(hundredNanoseconds), DWORD(hundredNanoseconds >> 32) };
    FileTimeToSystemTime(&time, now);
}

// Puts the function into the places through which a module calls the one that it imports.
static int replaceSystemTime(const char *module)
{
    auto *base = reinterpret_cast<std::uint8_t *>(GetModuleHandleA(module));
    const auto *headers = reinterpret_cast<IMAGE_NT_HEADERS *>(
        base + reinterpret_cast<IMAGE_DOS_HEADER *>(base)->e_lfanew);
    const IMAGE_DATA_DIRECTORY &directory =
        headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IAT];
    const auto system = ULONGLONG(GetProcAddress(GetModuleHandleA("kernel32"), "GetSystemTime"));
    auto *place = reinterpret_cast<ULONGLONG *>(base + directory.VirtualAddress);
    int replaced = 0;
    for (const auto *end = place + directory.Size / sizeof *place; place < end; ++place) {
        DWORD protection = 0;
        if (*place != system || !VirtualProtect(place, sizeof *place, PAGE_READWRITE, &protection))
            continue;
        *place = ULONGLONG(tellSystemTime);
        ++replaced;
    }
    return replaced;
}

// The program, with the library in it, and OpenSSL.
static const int replaced = replaceSystemTime(nullptr) + replaceSystemTime("libcrypto-3-x64.dll")
    + replaceSystemTime("libssl-3-x64.dll");

CASE(the_clock_of_these_cases_is_openssls)
{
    CHECK(replaced >= 2);
}
#else
extern "C" int gettimeofday(timeval *__restrict now, void *__restrict) noexcept
{
    const std::int64_t all = microsecondsSince1970;
    now->tv_sec = static_cast<time_t>(all / second);
    now->tv_usec = static_cast<suseconds_t>(all % second);
    return 0;
}

#if defined(__GLIBC__) && __SIZEOF_POINTER__ == 4
// Of the C library where numbers have 32 bits: Rust's standard library asks it, whatever time_t is.
struct LongTime {
    std::int64_t seconds;
    std::int32_t nanoseconds;
    std::int32_t unused;
};
extern "C" int tellLongTime(clockid_t, LongTime *) noexcept __asm__("__clock_gettime64");

extern "C" int tellLongTime(clockid_t clock, LongTime *now) noexcept
{
    if (clock != CLOCK_REALTIME)
        return int(syscall(SYS_clock_gettime64, clock, now));
    const std::int64_t all = microsecondsSince1970;
    *now = { all / second, std::int32_t(all % second * 1000), 0 };
    return 0;
}
#endif
#endif

void harness::passTime(std::int64_t microseconds)
{
    microsecondsSince1970 += microseconds;
}

using namespace harness;

namespace {

// Sets the clock back until the end of the scope.
struct SetBack {
    explicit SetBack(std::int64_t seconds)
        : all(seconds)
    {
        passTime(-all * second);
    }
    ~SetBack() { passTime(all * second); }

    const std::int64_t all;
};

} // namespace

CASE(f11_a_clock_set_back_by_an_hour_ends_the_handshake_with_a_reason)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const SetBack clock(3600);
    CHECK_EQUAL(pair.client.timeout().value_or(~0u), 0u);
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_HANDSHAKE_FAILED);
    const std::string reason = pair.client.lastError().reason;
    CHECK(reason.find("clock was set back") != std::string::npos);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK(!pair.client.timeout());
    pair.client.outbox.clear();
    pair.client.init(pair.clientTls.get());
    pair.connect();
    pair.checkMessages();
}

// What is sent next starts the timer by the new clock.
CASE(f11_a_handshake_that_goes_on_does_not_notice)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const SetBack clock(3600);
    pair.deliver();
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
    pair.checkMessages();
}

CASE(f11_a_small_step_is_waited_for)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const SetBack clock(50);
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    CHECK(pair.client.timeout().value_or(0) > 49000000u);
    pair.deliver();
    pair.checkMessages();
}

CASE(f11_a_clock_set_forward_retransmits_at_once)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    const SetBack clock(-3600);
    CHECK_EQUAL(pair.client.timeout().value_or(~0u), 0u);
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.outbox.size(), 1u);
    pair.deliver();
    pair.checkMessages();
}
