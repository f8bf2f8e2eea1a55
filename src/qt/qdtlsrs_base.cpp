// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_base_p.h"

#include "qtlsbackend_openssl_p.h"

#include <QtNetwork/qdtls.h>

#include <QtCore/qloggingcategory.h>

#include <utility>

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

static_assert(QDTLS_CATEGORY_NONE == int(QDtlsError::NoError)
              && QDTLS_CATEGORY_INVALID_INPUT == int(QDtlsError::InvalidInputParameters)
              && QDTLS_CATEGORY_INVALID_OPERATION == int(QDtlsError::InvalidOperation)
              && QDTLS_CATEGORY_SOCKET == int(QDtlsError::UnderlyingSocketError)
              && QDTLS_CATEGORY_REMOTE_CLOSED == int(QDtlsError::RemoteClosedConnectionError)
              && QDTLS_CATEGORY_PEER_VERIFICATION == int(QDtlsError::PeerVerificationError)
              && QDTLS_CATEGORY_TLS_INITIALIZATION == int(QDtlsError::TlsInitializationError)
              && QDTLS_CATEGORY_TLS_FATAL == int(QDtlsError::TlsFatalError)
              && QDTLS_CATEGORY_TLS_NON_FATAL == int(QDtlsError::TlsNonFatalError));

namespace QdtlsRs {

// Qt shows warnings and, of a category such as this one, information by default; debug output only
// if the program or QT_LOGGING_RULES asks for it. What stock does not print must not appear
// unasked.
static void logEvent(void *, const qdtls_event *event)
{
    // A line is lost for want of memory.
    (void)hasMemoryFor([event] {
        if (event->level <= QDTLS_LEVEL_WARNING)
            qCWarning(lcTlsBackend, "%s", event->line);
        else
            qCDebug(lcTlsBackend, "%s", event->line);
    });
}

Library::Library()
{
    qCDebug(lcTlsBackend, "DTLS by %s", qdtls_version());
    qdtls_set_event_handler(logEvent, nullptr, QDTLS_LEVEL_DEBUG);
    if (qdtls_abi_version() != QDTLS_ABI_VERSION) {
        operation = "qdtls_abi_version";
        reason = "the library has ABI " + QByteArray::number(qdtls_abi_version())
            + ", the plugin was compiled for ABI " + QByteArray::number(QDTLS_ABI_VERSION);
    } else if (qdtls_openssl_attach(q_DTLS_client_method(), q_BIO_s_mem()) == QDTLS_STATUS_OK) {
        usable = true;
        return;
    } else {
        qdtls_error error = noError();
        qdtls_last_error(&error);
        operation = error.operation;
        reason = error.reason;
    }
    qCWarning(lcTlsBackend, "%s: %s", operation.constData(), reason.constData());
}

const Library &Library::instance()
{
    static const Library library;
    return library;
}

qdtls_error Library::error() const
{
    return { sizeof(qdtls_error),
             QDTLS_STATUS_OPENSSL_MISMATCH,
             QDTLS_CATEGORY_TLS_INITIALIZATION,
             0,
             operation.constData(),
             reason.constData() };
}

Cookie::Cookie()
{
    qdtls_cookie *handle = nullptr;
    qdtls_cookie_new(&handle);
    cookie.reset(handle);
}

bool Cookie::set(const QTlsPrivate::DtlsBase::GenParams &parameters, qdtls_error *error)
{
    const auto status =
        qdtls_cookie_set_parameters(cookie.get(), int32_t(parameters.hash),
                                    bytesOf(parameters.secret), sizeOf(parameters.secret));
    if (status != QDTLS_STATUS_OK)
        qdtls_cookie_last_error(cookie.get(), error);
    return status == QDTLS_STATUS_OK;
}

QTlsPrivate::DtlsBase::GenParams Cookie::get() const
{
    size_t length = 0;
    if (qdtls_cookie_secret_length(cookie.get(), &length) != QDTLS_STATUS_OK)
        return {};
    int32_t hash = 0;
    QByteArray secret(qsizetype(length), Qt::Uninitialized);
    const auto status =
        qdtls_cookie_parameters(cookie.get(), &hash, writableBytesOf(secret), length, &length);
    if (status != QDTLS_STATUS_OK)
        return {};
    return { QCryptographicHash::Algorithm(hash), secret };
}

} // namespace QdtlsRs

QdtlsRsBase::~QdtlsRsBase()
{
    transport->ownerGone = true;
    transport->letGo();
}

void QdtlsRsBase::setDtlsError(QDtlsError code, const QString &description)
{
    errorCode = code;
    errorDescription = description;
}

void QdtlsRsBase::clearDtlsError()
{
    setDtlsError(QDtlsError::NoError, {});
}

void QdtlsRsBase::setConfiguration(const QSslConfiguration &configuration)
{
    ownConfiguration = configuration;
    clearDtlsError();
}

const QSslConfiguration &QdtlsRsBase::dtlsConfiguration() const
{
    if (Q_UNLIKELY(!ownConfiguration))
        ownConfiguration.emplace();
    return *ownConfiguration;
}

QSslConfiguration &QdtlsRsBase::dtlsConfiguration()
{
    return const_cast<QSslConfiguration &>(std::as_const(*this).dtlsConfiguration());
}

bool QdtlsRsBase::setCookieGeneratorParameters(const GenParams &parameters)
{
    if (!libraryIsUsable())
        return false;
    qdtls_error error = noError();
    if (!cookie.set(parameters, &error)) {
        report(error);
        return false;
    }
    clearDtlsError();
    return true;
}

QTlsPrivate::DtlsBase::GenParams QdtlsRsBase::cookieGeneratorParameters() const
{
    try {
        return Library::instance().isUsable() ? cookie.get() : GenParams {};
    } catch (const std::bad_alloc &) {
        return {}; // which no connection takes
    }
}

void QdtlsRsBase::report(const qdtls_error &error)
{
    const auto code = QDtlsError(error.category);
    const auto reportWithText = [&] {
        QString text =
            QDtls::tr("%1 failed: %2")
                .arg(QString::fromUtf8(error.operation), QString::fromUtf8(error.reason));
        if (error.category == QDTLS_CATEGORY_SOCKET && !transport->socketError.isEmpty())
            text += QLatin1String(": ") + transport->socketError;
        setDtlsError(code, text);
    };
    if (!hasMemoryFor(reportWithText))
        reportOutOfMemory(code);
}

bool QdtlsRsBase::libraryIsUsable()
{
    const Library *library = nullptr;
    if (!hasMemoryFor([&] { library = &Library::instance(); })) {
        reportOutOfMemory(QDtlsError::TlsInitializationError);
        return false;
    }
    if (!library->isUsable())
        report(library->error());
    return library->isUsable();
}

QT_END_NAMESPACE
