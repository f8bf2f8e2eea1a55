// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_p.h"

#include "qdtlsrs_context_cache_p.h"
#include "qdtlsrs_private_access_p.h"

#include "qtlsbackend_openssl_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qtlsbackend_p.h>

#include <qdtls_rs.h>

#include <algorithm>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// Enough for two chains.
constexpr qsizetype maximumCertificates = 8;

std::shared_ptr<SharedContext> make(const ContextKey &wanted, QString *error)
{
    QSslConfiguration whole = wanted.shared;
    whole.setPrivateKey(wanted.privateKey);
    const auto made =
        QSslContext::sharedFromConfiguration(wanted.mode, whole, wanted.rootsOnDemand);
    if (made->error() != QSslError::NoError) {
        *error = made->errorString();
        return {};
    }
    auto context = std::make_shared<SharedContext>(made);
    if (qdtls_context_prepare(context->handle()) != QDTLS_STATUS_OK) {
        qdtls_error failure = {};
        failure.size = sizeof failure;
        qdtls_last_error(&failure);
        *error = QString::fromUtf8(failure.reason);
        return {};
    }
    return context;
}

} // namespace

SharedContext::SharedContext(std::shared_ptr<QSslContext> qtContext)
    : context(std::move(qtContext))
{
}

SSL_CTX *SharedContext::handle() const
{
    return nativeContext(*context);
}

QSslCertificate SharedContext::certificateFrom(X509 *x509)
{
    {
        const QMutexLocker lock(&mutex);
        const auto isSame = [x509](const QSslCertificate &certificate) {
            return q_X509_cmp(reinterpret_cast<X509 *>(certificate.handle()), x509) == 0;
        };
        const auto found = std::find_if(certificates.begin(), certificates.end(), isSame);
        if (found != certificates.end()) {
            std::rotate(certificates.begin(), found, found + 1);
            return certificates.constFirst();
        }
    }
    // Made unlocked, for it takes long. Two threads may make the same one, which is then listed
    // twice.
    const auto made = QTlsPrivate::X509CertificateOpenSSL::certificateFromX509(x509);
    if (made.handle()) {
        const QMutexLocker lock(&mutex);
        certificates.prepend(made);
        if (certificates.size() > maximumCertificates)
            certificates.removeLast();
    }
    return made;
}

std::shared_ptr<SharedContext> SharedContext::find(QSslSocket::SslMode mode,
                                                   const QSslConfiguration &configuration,
                                                   bool issuesTickets, QString *error)
{
    ContextKey wanted {
        mode, QTlsBackend::rootLoadingOnDemandAllowed(configuration), configuration, {}, {}
    };
    if (auto known = ContextCache::find(wanted))
        return known;
    // Made unlocked: many certificates take long, and other threads want other contexts.
    auto made = make(wanted, error);
    return made ? ContextCache::add(wanted, std::move(made), issuesTickets) : nullptr;
}

} // namespace QdtlsRs

QT_END_NAMESPACE
