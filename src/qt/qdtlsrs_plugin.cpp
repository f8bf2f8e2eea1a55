// SPDX-License-Identifier: MIT OR Apache-2.0

// The way into a plugin that is built alone. Qt's loader takes a plugin for an older minor version,
// though the private classes that a TLS backend uses change with each.

#include <QtCore/qlogging.h>
#include <QtCore/qobject.h>
#include <QtCore/qplugin.h>
#include <QtCore/qpointer.h>
#include <QtCore/qversionnumber.h>

extern "C" QObject *qdtlsrs_create_backend();

static bool isForThisQt()
{
    const auto running = QVersionNumber::fromString(QLatin1String(qVersion()));
    return running.majorVersion() == QT_VERSION_MAJOR && running.minorVersion() == QT_VERSION_MINOR;
}

// An object that is no TLS backend, for which Qt goes on to the next plugin: without an object it
// would load no other.
static QObject *decline()
{
    static QPointer<QObject> nothing;
    if (!nothing) {
        qWarning("qdtls-rs: the TLS plugin built for Qt %s is not used by this program's Qt %s. "
                 "Build it for that version, or remove its folder from QT_PLUGIN_PATH.",
                 QT_VERSION_STR, qVersion());
        nothing = new QObject;
    }
    return nothing;
}

#undef qt_plugin_instance
extern "C" Q_DECL_EXPORT QObject *qt_plugin_instance()
{
    return isForThisQt() ? qdtlsrs_create_backend() : decline();
}
