// SPDX-License-Identifier: MIT OR Apache-2.0
//
// dtls_endpoint client|server [options]: exchanges messages with a peer that sends each one back.
//
// It prints a line for each step, and ends with 0 only if all were done:
//
//     plugin FILE
//     listening PORT
//     handshake MS CIPHER full|resumed ALPN
//     echo SIZE
//     closed ours|peer
//     failed WHY
#include "client.h"
#include "server.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QFile>
#include <QtCore/QTextStream>
#include <QtCore/QTimer>
#include <QtNetwork/QNetworkProxyFactory>
#include <QtNetwork/QSslSocket>

#include <memory>

namespace {

// The plugin in use, so that a result is not entered under the wrong name.
QByteArray loadedPlugin()
{
    QSslSocket::availableBackends(); // loads them
    QFile maps(QStringLiteral("/proc/self/maps"));
    if (!maps.open(QIODevice::ReadOnly))
        return {};
    for (const QByteArray &line : maps.readAll().split('\n')) {
        if (line.endsWith("/libqopensslbackend.so"))
            return line.mid(line.indexOf('/'));
    }
    return {};
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    // Looked up for each socket otherwise, on a thread of its own.
    QNetworkProxyFactory::setUseSystemConfiguration(false);
    const interop::Settings settings = interop::readSettings(application);

    QTextStream(stdout) << "plugin " << loadedPlugin() << Qt::endl;
    std::unique_ptr<interop::Exchange> exchange;
    if (settings.isServer)
        exchange = std::make_unique<interop::Server>(settings);
    else
        exchange = std::make_unique<interop::Client>(settings);
    // A failure before the event loop runs could not end it.
    QTimer::singleShot(0, exchange.get(), [&] { exchange->start(); });
    return QCoreApplication::exec();
}
