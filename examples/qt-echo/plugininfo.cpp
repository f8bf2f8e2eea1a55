// SPDX-License-Identifier: MIT OR Apache-2.0
#include "plugininfo.h"

#include "failure.h"

#include <QDtls>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QUdpSocket>

#include <array>

#include <dlfcn.h>
#include <execinfo.h>

using namespace Qt::StringLiterals;

/// The plugin among the callers, by the return addresses on the stack.
static QString callingPlugin()
{
    std::array<void *, 64> addresses;
    const int depth = backtrace(addresses.data(), int(addresses.size()));
    for (int i = 0; i < depth; ++i) {
        Dl_info caller;
        if (!dladdr(addresses[i], &caller))
            continue;
        const QString file = QFile::decodeName(caller.dli_fname);
        if (QFileInfo(file).fileName().startsWith("libqopensslbackend"_L1))
            return file;
    }
    return {};
}

QString tlsPluginInUse()
{
    // Qt loads every libqopensslbackend.so on its plugin path and uses one, so the list of loaded
    // files proves nothing. The stack does, while a ClientHello is being sent.
    QUdpSocket socket;
    socket.bind(QHostAddress::LocalHost);
    QString plugin;
    QObject::connect(&socket, &QUdpSocket::bytesWritten, &socket,
                     [&plugin] { plugin = callingPlugin(); });

    QDtls dtls(QSslSocket::SslClientMode);
    dtls.setPeer(QHostAddress::LocalHost, socket.localPort());
    if (!dtls.doHandshake(&socket))
        throw Failure(u"QDtls sends no ClientHello: "_s + dtls.dtlsErrorString());
    return plugin;
}

QString qdtlsRsMarker(const QString &pluginFile)
{
    QFile file(pluginFile);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArray bytes = file.readAll();

    // The marker is not always followed by a NUL: its own grammar ends it.
    static const QRegularExpression marker(uR"(qdtls-rs \d[\d.]*( \(ABI \d+\))?)"_s);
    constexpr qsizetype longest = 64;
    const QByteArray prefix("qdtls-rs ");
    for (qsizetype at = bytes.indexOf(prefix); at >= 0; at = bytes.indexOf(prefix, at + 1)) {
        const auto match = marker.match(QString::fromLatin1(bytes.mid(at, longest)), 0,
                                        QRegularExpression::NormalMatch,
                                        QRegularExpression::AnchorAtOffsetMatchOption);
        if (match.hasMatch())
            return match.captured();
    }
    return {};
}
