/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef QDTLS_RS_QT_H
#define QDTLS_RS_QT_H

/*
 * What qdtls-rs knows about a QDtls and Qt's API does not say, for applications of Qt 6:
 * statistics, alerts, what was negotiated, keys for other protocols, settings. Nothing has to be
 * linked: the functions are looked up in the TLS plugin that the process has loaded, when they are
 * first called. With another plugin, such as Qt's own, they return nothing and say so; the
 * application runs on.
 *
 * The link line needs Qt6::Network and, on some systems, the library of dlopen(3): the CMake target
 * QDtlsRs::Qt has both. A plugin that is linked statically into the program is not found.
 *
 * A QDtls is used on its own thread, as in Qt. The functions without a QDtls may be called on any.
 */

#include <qdtls_rs.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>
#include <QtNetwork/qdtls.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#if defined(_WIN32)
#include <windows.h>
// After it.
#include <psapi.h>
#elif defined(__APPLE__)
#include <dlfcn.h>
#include <mach-o/dyld.h>
#else
#include <dlfcn.h>
#include <link.h>
#endif

namespace QDtlsRs {

// What the plugin gives away: functions of qdtls_rs.h under its ABI version. New ones are added at
// the end; `size` is the plugin's.
struct Interface {
    std::size_t size;
    std::uint32_t abiVersion;
    // The connection behind a QDtls, valid as long as that; null if it is not of this plugin.
    qdtls_connection *(*connection)(const QT_PREPEND_NAMESPACE(QDtls) *);
    decltype(&qdtls_version) version;
    decltype(&qdtls_connection_statistics) statistics;
    decltype(&qdtls_connection_parameters) parameters;
    decltype(&qdtls_connection_export) exportKeys;
    decltype(&qdtls_connection_alerts) alerts;
    decltype(&qdtls_connection_last_error) lastError;
    decltype(&qdtls_process_statistics) processStatistics;
    decltype(&qdtls_setting_set) setSetting;
    decltype(&qdtls_setting_get) setting;
};

// An alert as on the wire (RFC 5246, 7.2): level 1 is a warning, 2 fatal.
struct Alert {
    int level;
    int description;
};

struct Alerts {
    std::optional<Alert> sent;
    std::optional<Alert> received;
};

namespace Private {

using GetInterface = const Interface *(*)();

inline constexpr char interfaceName[] = "qdtlsrs_interface";

// Those of every file in the process that has one. A file that is found is not unloaded again.
inline std::vector<const Interface *> findInterfaces()
{
    std::vector<const Interface *> found;
    const auto add = [&found](void *address) {
        const Interface *one = address ? reinterpret_cast<GetInterface>(address)() : nullptr;
        if (one && one->size >= sizeof(Interface) && one->abiVersion == QDTLS_ABI_VERSION)
            found.push_back(one);
    };
#if defined(_WIN32)
    std::vector<HMODULE> modules(1024);
    DWORD bytes = 0;
    K32EnumProcessModules(GetCurrentProcess(), modules.data(),
                          DWORD(modules.size() * sizeof(HMODULE)), &bytes);
    modules.resize(std::min<std::size_t>(modules.size(), bytes / sizeof(HMODULE)));
    for (HMODULE module : modules)
        add(reinterpret_cast<void *>(GetProcAddress(module, interfaceName)));
#else
    std::vector<QByteArray> files;
#if defined(__APPLE__)
    for (std::uint32_t index = 0; index < _dyld_image_count(); ++index)
        files.emplace_back(_dyld_get_image_name(index));
#else
    dl_iterate_phdr(
        [](dl_phdr_info *file, std::size_t, void *list) {
            static_cast<std::vector<QByteArray> *>(list)->emplace_back(file->dlpi_name);
            return 0;
        },
        &files);
#endif
    for (const QByteArray &file : files) {
        if (!file.contains("qopensslbackend"))
            continue;
        if (void *handle = dlopen(file.constData(), RTLD_LAZY | RTLD_NOLOAD))
            add(dlsym(handle, interfaceName));
    }
#endif
    return found;
}

// They are looked for until there is one: a process loads the plugin when it first needs it.
inline const std::vector<const Interface *> &interfaces()
{
    static thread_local std::vector<const Interface *> known;
    if (known.empty())
        known = findInterfaces();
    return known;
}

inline const Interface *any()
{
    return interfaces().empty() ? nullptr : interfaces().front();
}

struct Served {
    const Interface *functions = nullptr;
    qdtls_connection *connection = nullptr;
};

inline Served find(const QT_PREPEND_NAMESPACE(QDtls) & dtls)
{
    for (const Interface *one : interfaces()) {
        if (qdtls_connection *connection = one->connection(&dtls))
            return { one, connection };
    }
    return {};
}

inline std::optional<Alert> alertOf(std::int32_t number)
{
    return number < 0 ? std::nullopt : std::optional<Alert>({ number >> 8, number & 255 });
}

} // namespace Private

// The version of the plugin's library; empty if the process has loaded no plugin of qdtls-rs, which
// it does at the latest with its first QDtls.
inline QString version()
{
    const Interface *one = Private::any();
    return one ? QString::fromUtf8(one->version()) : QString();
}

// Whether the QDtls is served by qdtls-rs. All that follows returns nothing if it is not.
inline bool serves(const QT_PREPEND_NAMESPACE(QDtls) & dtls)
{
    return Private::find(dtls).connection != nullptr;
}

// The counters since the start of the last handshake.
inline std::optional<qdtls_connection_counters> statistics(const QT_PREPEND_NAMESPACE(QDtls) & dtls)
{
    const auto served = Private::find(dtls);
    qdtls_connection_counters counters {};
    counters.size = sizeof counters;
    if (!served.connection || served.functions->statistics(served.connection, &counters))
        return std::nullopt;
    return counters;
}

// What was negotiated; nothing before the handshake has finished and after the connection's end.
inline std::optional<qdtls_parameters> parameters(const QT_PREPEND_NAMESPACE(QDtls) & dtls)
{
    const auto served = Private::find(dtls);
    qdtls_parameters parameters {};
    parameters.size = sizeof parameters;
    if (!served.connection || served.functions->parameters(served.connection, &parameters))
        return std::nullopt;
    return parameters;
}

// Keys for another protocol (RFC 5705), as `qdtls_connection_export`; empty when there are none,
// such as before the handshake has finished. A null context is none, an empty one is not.
inline QByteArray exportKeyingMaterial(const QT_PREPEND_NAMESPACE(QDtls) & dtls,
                                       const QByteArray &label, int length,
                                       const QByteArray &context = {})
{
    const auto served = Private::find(dtls);
    if (!served.connection || length <= 0)
        return {};
    const auto bytes = [](const QByteArray &array) {
        return reinterpret_cast<const std::uint8_t *>(array.constData());
    };
    QByteArray keys(length, Qt::Uninitialized);
    const auto status = served.functions->exportKeys(
        served.connection, bytes(label), std::size_t(label.size()),
        context.isNull() ? nullptr : bytes(context), std::size_t(context.size()),
        reinterpret_cast<std::uint8_t *>(keys.data()), std::size_t(length));
    return status ? QByteArray() : keys;
}

// The last alerts since the start of the last handshake, also after the connection's end.
inline std::optional<Alerts> alerts(const QT_PREPEND_NAMESPACE(QDtls) & dtls)
{
    const auto served = Private::find(dtls);
    std::int32_t sent = -1;
    std::int32_t received = -1;
    if (!served.connection || served.functions->alerts(served.connection, &sent, &received))
        return std::nullopt;
    return Alerts { Private::alertOf(sent), Private::alertOf(received) };
}

// The counters of the process.
inline std::optional<qdtls_process_counters> processStatistics()
{
    const Interface *one = Private::any();
    qdtls_process_counters counters {};
    counters.size = sizeof counters;
    if (!one || one->processStatistics(&counters))
        return std::nullopt;
    return counters;
}

// Sets a setting of the process. False for a value out of range, and without the plugin.
inline bool setSetting(qdtls_setting name, std::uint64_t value)
{
    const Interface *one = Private::any();
    return one && one->setSetting(name, value) == QDTLS_STATUS_OK;
}

// The value of a setting of the process.
inline std::optional<std::uint64_t> setting(qdtls_setting name)
{
    const Interface *one = Private::any();
    std::uint64_t value = 0;
    if (!one || one->setting(name, &value))
        return std::nullopt;
    return value;
}

} // namespace QDtlsRs

#endif /* QDTLS_RS_QT_H */
