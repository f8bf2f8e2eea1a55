// SPDX-License-Identifier: MIT OR Apache-2.0

// What an application finds in the plugin by include/qdtls_rs_qt.h.

#include "qdtlsrs_connection_p.h"

#include <qdtls_rs_qt.h>

#include <typeinfo>

QT_BEGIN_NAMESPACE

namespace {

// Of this very plugin: a process may have loaded two.
qdtls_connection *connectionOf(const QDtls *dtls)
{
    const auto *d = static_cast<const QDtlsPrivate *>(QObjectPrivate::get(dtls));
    const QTlsPrivate::DtlsCryptograph *backend = d->backend.get();
    if (!backend || &typeid(*backend) != &typeid(QdtlsRsConnection))
        return nullptr;
    return dynamic_cast<const QdtlsRsConnection *>(backend)->handle();
}

} // namespace

QT_END_NAMESPACE

extern "C" Q_DECL_EXPORT const QDtlsRs::Interface *qdtlsrs_interface()
{
    static const QDtlsRs::Interface functions {
        sizeof(QDtlsRs::Interface),
        QDTLS_ABI_VERSION,
        QT_PREPEND_NAMESPACE(connectionOf),
        qdtls_version,
        qdtls_connection_statistics,
        qdtls_connection_parameters,
        qdtls_connection_export,
        qdtls_connection_alerts,
        qdtls_connection_last_error,
        qdtls_process_statistics,
        qdtls_setting_set,
        qdtls_setting_get,
    };
    return &functions;
}
