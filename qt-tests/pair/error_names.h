// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QtNetwork/QDtls>

namespace pair {

inline const char *nameOf(QDtlsError error)
{
    switch (error) {
    case QDtlsError::NoError:
        return "NoError";
    case QDtlsError::InvalidInputParameters:
        return "InvalidInputParameters";
    case QDtlsError::InvalidOperation:
        return "InvalidOperation";
    case QDtlsError::UnderlyingSocketError:
        return "UnderlyingSocketError";
    case QDtlsError::RemoteClosedConnectionError:
        return "RemoteClosedConnectionError";
    case QDtlsError::PeerVerificationError:
        return "PeerVerificationError";
    case QDtlsError::TlsInitializationError:
        return "TlsInitializationError";
    case QDtlsError::TlsFatalError:
        return "TlsFatalError";
    case QDtlsError::TlsNonFatalError:
        return "TlsNonFatalError";
    }
    return "an unknown error";
}

} // namespace pair
