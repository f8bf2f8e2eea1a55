// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_BASE_P_H
#define QDTLSRS_BASE_P_H

// The common part of verifier and connection: errors, configuration, cookie parameters, the
// transport.

#include "qdtlsrs_memory_p.h"
#include "qdtlsrs_transport_p.h"

#include <QtNetwork/private/qtlsbackend_p.h>
#include <QtNetwork/qsslconfiguration.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

#include <memory>
#include <optional>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// A handle of the C ABI, freed by its own function.
template <typename Type, void (*release)(Type *)> struct Free {
    void operator()(Type *handle) const { release(handle); }
};
template <typename Type, void (*release)(Type *)>
using Handle = std::unique_ptr<Type, Free<Type, release>>;

// A place for an error.
inline qdtls_error noError()
{
    return { sizeof(qdtls_error), 0, 0, 0, nullptr, nullptr };
}

// Whether the Rust library works with the OpenSSL that Qt has loaded; checked once.
class Library {
public:
    static const Library &instance();
    bool isUsable() const { return usable; }
    qdtls_error error() const;

private:
    Library();

    bool usable = false;
    QByteArray operation;
    QByteArray reason;
};

// Cookie parameters, which Rust keeps: no copy of a secret stays in a QByteArray here.
class Cookie {
public:
    Cookie();

    // On failure returns false, fills `error` and changes nothing else.
    bool set(const QTlsPrivate::DtlsBase::GenParams &parameters, qdtls_error *error);
    QTlsPrivate::DtlsBase::GenParams get() const;
    const qdtls_cookie *handle() const { return cookie.get(); }

private:
    Handle<qdtls_cookie, qdtls_cookie_free> cookie;
};

} // namespace QdtlsRs

QT_WARNING_PUSH
// Overriding through one branch of a virtual base is intended.
QT_WARNING_DISABLE_MSVC(4250)

class QdtlsRsBase : virtual public QTlsPrivate::DtlsBase {
public:
    QdtlsRsBase() = default;
    ~QdtlsRsBase() override;
    Q_DISABLE_COPY_MOVE(QdtlsRsBase)

    void setDtlsError(QDtlsError code, const QString &description) override;
    QDtlsError error() const override { return errorCode; }
    QString errorString() const override { return errorDescription; }
    void clearDtlsError() override;
    void setConfiguration(const QSslConfiguration &configuration) override;
    QSslConfiguration configuration() const override { return dtlsConfiguration(); }
    bool setCookieGeneratorParameters(const GenParams &parameters) override;
    GenParams cookieGeneratorParameters() const override;

protected:
    // Begins a call into Rust: forgets the last error, and uses `socket` until the result goes out
    // of scope.
    [[nodiscard]] Q_ALWAYS_INLINE QdtlsRs::Call enter(QUdpSocket *socket)
    {
        if (Q_UNLIKELY(errorCode != QDtlsError::NoError))
            clearDtlsError();
        return QdtlsRs::Call(*transport, socket);
    }

    // Reports a failure of the Rust library in Qt's terms, with the socket's own error; only that
    // memory is missing if there is none for the text.
    void report(const qdtls_error &error);
    void reportOutOfMemory(QDtlsError code) { setDtlsError(code, QdtlsRs::outOfMemory()); }
    // Returns whether the library works with the OpenSSL in use, and reports why not.
    bool libraryIsUsable();

    const QSslConfiguration &dtlsConfiguration() const;
    QSslConfiguration &dtlsConfiguration();

    QdtlsRs::Cookie cookie;
    // The destructor lets go of it.
    QdtlsRs::Transport *const transport = new QdtlsRs::Transport;

private:
    QDtlsError errorCode = QDtlsError::NoError;
    QString errorDescription;
    // Qt sets one as soon as it has made the object. A default one to be replaced would take more
    // than the rest of the object, since it decodes Diffie-Hellman parameters.
    mutable std::optional<QSslConfiguration> ownConfiguration;
};

QT_WARNING_POP

QT_END_NAMESPACE

#endif // QDTLSRS_BASE_P_H
