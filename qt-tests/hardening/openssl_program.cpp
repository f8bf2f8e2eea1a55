// SPDX-License-Identifier: MIT OR Apache-2.0
#include "openssl_program.h"

#include <QtCore/QFile>
#include <QtNetwork/QUdpSocket>
#include <QtTest/QTest>

namespace hardening {

OpenSslProgram::~OpenSslProgram()
{
    process.kill();
    process.waitForFinished();
}

void OpenSslProgram::startClient(quint16 port, const QStringList &arguments)
{
    const QString server = QStringLiteral("127.0.0.1:%1").arg(port);
    start(QStringList { "s_client", "-dtls1_2", "-connect", server } + arguments);
}

bool OpenSslProgram::startServer(const Identity &identity)
{
    QUdpSocket free; // a port nobody has; s_server takes it when this socket is gone
    if (!free.bind(QHostAddress::LocalHost))
        return false;
    serverPort = free.localPort();
    free.close();
    start({ "s_server", "-dtls1_2", "-accept", QStringLiteral("127.0.0.1:%1").arg(serverPort),
            "-cert", write("certificate.pem", identity.certificate.toPem()), "-key",
            write("key.pem", identity.key.toPem()) });
    return QTest::qWaitFor([this] { return output().contains("ACCEPT"); }, patienceMs);
}

const QByteArray &OpenSslProgram::output()
{
    return printed += process.readAll();
}

bool OpenSslProgram::endClient()
{
    process.write("Q\n");
    return process.waitForFinished(patienceMs) && process.exitCode() == 0;
}

void OpenSslProgram::start(const QStringList &arguments)
{
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QStringLiteral("openssl"), arguments);
}

QString OpenSslProgram::write(const QString &name, const QByteArray &contents) const
{
    QFile file(directory.filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(contents) != contents.size())
        qWarning("%s: %s", qPrintable(file.fileName()), qPrintable(file.errorString()));
    return file.fileName();
}

} // namespace hardening
